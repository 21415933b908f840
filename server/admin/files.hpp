// SPDX-License-Identifier: Apache-2.0
/// Small files, read and written as a whole.
#pragma once

#include "admin/failure.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace gallery::admin {

/// Pictures and exports of more than this are refused.
inline constexpr std::uint64_t largest_file = 1ULL << 30U;

/// A regular file, or what a link leads to. Failures: not_found; refused for a directory, and for more than
/// largest_file.
outcome<std::string> read_file(const std::string& path);

/// Under another name first, so that a reader sees all of it or what was there before. A link at @p path is
/// replaced, not followed. Failure: output.
outcome<> write_file(const std::string& path, std::string_view content);

/// The same for a file that a user has: it keeps its owner, its group and its permissions, also if this
/// program ends in the middle, and it is on the disk afterwards. A new file is written as by write_file().
/// Failure: output, also if the owner or the group cannot be kept; the file is then as it was.
outcome<> replace_file(const std::string& path, std::string_view content);

/// The last part of a path.
std::string_view name_in_path(std::string_view path) noexcept;

}  // namespace gallery::admin
