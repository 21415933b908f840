// SPDX-License-Identifier: Apache-2.0
/// Base64 in the two alphabets, and what comes from the operating system's random generator.
/// All functions are thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace gallery::auth {

/// RFC 4648 section 5, without padding.
std::string base64url_encode(std::string_view data);

/// Strict: no padding, no other characters, no bits set that stand for nothing.
std::optional<std::string> base64url_decode(std::string_view text);

/// RFC 4648 section 4, with padding.
std::string base64_encode(std::string_view data);

/// Accepts text with and without padding; otherwise as strict as base64url_decode().
std::optional<std::string> base64_decode(std::string_view text);

/// Fills @p out from OpenSSL's generator. Ends the process where there is no randomness: no secret can be
/// made then.
void fill_random(std::span<char> out);

/// @p count characters of [0-9A-Za-z], each drawn evenly: 5.95 bits apiece.
std::string random_alphanumerics(std::size_t count);

/// Takes the same time wherever the two differ. Lengths are not secret.
bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept;

}  // namespace gallery::auth
