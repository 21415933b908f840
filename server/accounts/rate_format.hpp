// SPDX-License-Identifier: Apache-2.0
/// ThingsBoard's text format of rate limits: `100:1,2000:60` allows 100 requests in 1 second and 2,000 in 60
/// seconds. All of the rates apply at once. Pure functions.
#pragma once

#include <gallery/error.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace gallery::accounts {

struct rate {
    std::uint32_t requests = 0;  ///< at least 1
    std::uint32_t seconds = 0;   ///< at least 1

    friend bool operator==(const rate&, const rate&) = default;
};

/// A limiter keeps a counter for each rate of each tenant and customer.
inline constexpr std::size_t max_rates = 8;

/// The rates in the order of the text; none for an empty text. No rate has the seconds of another one. Error:
/// invalid_argument with the part of the text that is wrong, without the name of the field.
result<std::vector<rate>> parse_rates(std::string_view text);

}  // namespace gallery::accounts
