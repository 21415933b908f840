// SPDX-License-Identifier: Apache-2.0
/// The secrets of API keys. A secret is random enough (256 bits) not to need a slow hash.
#pragma once

#include <gallery/sha256.hpp>

#include <string>
#include <string_view>

namespace gallery::auth {

/// An API key is this prefix and 43 letters and digits (256 bits).
inline constexpr std::string_view api_key_prefix = "tb_";

/// A new secret. It is shown to its owner once; only api_key_digest() of it is stored.
std::string generate_api_key();
sha256_digest api_key_digest(std::string_view secret) noexcept;

}  // namespace gallery::auth
