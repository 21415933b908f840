// SPDX-License-Identifier: Apache-2.0
/// Small files of the server that only its user can read.
#pragma once

#include <gallery/error.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace gallery::mirror {

/// Blocks. Errors: those of replace_file().
result<void> write_private_file(const std::string& path, std::string_view text);
/// Empty if there is no file. Blocks. Errors: those of read_file(), except not_found.
result<std::optional<std::string>> read_private_file(const std::string& path);

}  // namespace gallery::mirror
