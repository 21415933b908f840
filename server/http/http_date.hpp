// SPDX-License-Identifier: Apache-2.0
/// Dates as HTTP writes them. Pure functions; seconds since 1970-01-01 UTC.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gallery::http {

/// "Sun, 06 Nov 1994 08:49:37 GMT", always 29 characters. Precondition: a year of four digits.
std::array<char, 29> format_http_date(std::int64_t seconds) noexcept;
std::string http_date(std::int64_t seconds);

/// All three formats of RFC 9110, 5.6.7 (IMF-fixdate, RFC 850, asctime). @p now resolves the two-digit years
/// of RFC 850.
std::optional<std::int64_t> parse_http_date(std::string_view text, std::int64_t now) noexcept;

}  // namespace gallery::http
