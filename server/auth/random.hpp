// SPDX-License-Identifier: Apache-2.0
/// Secrets: random ones, and how to compare them. All functions are thread-safe.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace gallery::auth {

/// Fills @p out from OpenSSL's generator. Ends the process where there is no randomness: no secret can be
/// made then.
void fill_random(std::span<char> out);

/// @p count characters of [0-9A-Za-z], each drawn evenly: 5.95 bits apiece.
std::string random_alphanumerics(std::size_t count);

/// Takes the same time wherever the two differ. Lengths are not secret.
bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept;

}  // namespace gallery::auth
