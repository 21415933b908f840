// SPDX-License-Identifier: Apache-2.0
/// Small files of the server that only its user can read.
#pragma once

#include <gallery/error.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace gallery::mirror {

/// Replaces the file in one step; when it returns, this is on the disk. Blocks. Errors: io_error, after which
/// the file is as before; unknown_outcome if it was replaced, but a crash of the machine may undo that.
result<void> write_private_file(const std::string& path, std::string_view text);
/// Empty if there is no file. Blocks. Error: io_error.
result<std::optional<std::string>> read_private_file(const std::string& path);
/// When it returns, this is on the disk. Succeeds if there is no file. Blocks. Errors: io_error, after which
/// the file is there; unknown_outcome if it was removed, but a crash of the machine may undo that.
result<void> remove_private_file(const std::string& path);

}  // namespace gallery::mirror
