// SPDX-License-Identifier: Apache-2.0
/// Where the key comes from that tokens are signed with.
#pragma once

#include <gallery/error.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace gallery::auth {

/// HMAC-SHA-512 wants a key of at least the size of its output, in bytes (RFC 7518 section 3.2).
inline constexpr std::size_t min_signing_key_size = 64;

/// The key from a configured value: Base64 of at least 64 bytes, as ThingsBoard takes it. Error:
/// invalid_argument, which says how to make one.
result<std::string> decode_signing_key(std::string_view base64);

/// The key kept in @p file; where there is none, a random one is made and kept. The file holds Base64 on one
/// line, is readable by its owner only, appears under its name whole and synchronised to the disk, and is
/// never replaced: of several processes that begin at once all take the one that won. Blocks. Errors:
/// invalid_argument for a file that others can read or that is no key, io_error.
result<std::string> load_or_create_signing_key(const std::filesystem::path& file);

}  // namespace gallery::auth
