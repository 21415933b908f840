// SPDX-License-Identifier: Apache-2.0
/// Times as people write and read them, in UTC. Pure.
#pragma once

#include <gallery/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace gallery::admin {

/// Milliseconds since 1970 of "90d", "12h", "30m" from @p now on, of "2027-01-31" (its beginning), or of
/// "2027-01-31T12:00:00Z"; 0 for "never". Error: invalid_argument.
result<std::int64_t> parse_expiry(std::string_view text, std::int64_t now);

/// "2027-01-31 12:00:00Z"; "-" for 0.
std::string format_time(std::int64_t milliseconds);

}  // namespace gallery::admin
