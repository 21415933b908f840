// SPDX-License-Identifier: Apache-2.0
/// Strict readers of single values. Each takes the whole text or refuses it: no surrounding space, no sign,
/// no rest. Pure functions; nothing on a refusal.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gallery::config {

/// "true" or "false" in lower case.
std::optional<bool> parse_bool(std::string_view text) noexcept;

/// Decimal digits, within 64 bits.
std::optional<std::uint64_t> parse_unsigned(std::string_view text) noexcept;

/// Bytes: a whole number, alone or directly followed by B, by KiB, MiB, GiB, TiB (in short K, M, G, T),
/// or by kB, MB, GB, TB, which are powers of ten.
std::optional<std::uint64_t> parse_size(std::string_view text) noexcept;

/// A whole number directly followed by ms, s, m, h or d; "0" needs no unit.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) noexcept;

/// Base64 with the standard alphabet and padding, as ThingsBoard's signing key is written.
std::optional<std::string> parse_base64(std::string_view text);

}  // namespace gallery::config
