// SPDX-License-Identifier: Apache-2.0
/// Cursors of scans: the key that a scan stopped at, with a checksum, in hexadecimal.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gallery::rocks {

/// @p scan names the scan, so that one does not take the cursor of another.
std::string make_cursor(std::string_view scan, std::string_view key);

/// The key; nothing where make_cursor() did not make it for this scan.
std::optional<std::string> parse_cursor(std::string_view scan, std::string_view text);

}  // namespace gallery::rocks
