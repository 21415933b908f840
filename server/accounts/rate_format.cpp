// SPDX-License-Identifier: Apache-2.0
#include "accounts/rate_format.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace gallery::accounts {
namespace {

/// The longest part of a refused text that a message repeats.
constexpr std::size_t shown_rate_bytes = 40;

error bad_rate(std::string_view part, std::string_view fault) {
    std::string message = "The rate '";
    message += part.substr(0, shown_rate_bytes);
    if (part.size() > shown_rate_bytes) message += "...";
    message += "' ";
    message += fault;
    return {errc::invalid_argument, std::move(message)};
}

/// A decimal number without sign or spaces that is at least 1. Empty for any other text.
std::optional<std::uint32_t> parse_count(std::string_view text) {
    std::uint32_t number = 0;
    const auto* const end = text.data() + text.size();
    const auto [stop, failed] = std::from_chars(text.data(), end, number);
    if (failed != std::errc() || stop != end || number == 0) return std::nullopt;
    return number;
}

result<rate> parse_rate(std::string_view part) {
    const auto colon = part.find(':');
    if (colon == std::string_view::npos)
        return bad_rate(part, "is not of the form requests:seconds, for example 100:1");
    const auto requests = parse_count(part.substr(0, colon));
    if (!requests) return bad_rate(part, "must begin with a number of requests between 1 and 4294967295");
    const auto seconds = parse_count(part.substr(colon + 1));
    if (!seconds) return bad_rate(part, "must end with a number of seconds between 1 and 4294967295");
    return rate{.requests = *requests, .seconds = *seconds};
}

}  // namespace

result<std::vector<rate>> parse_rates(std::string_view text) {
    std::vector<rate> rates;
    if (text.empty()) return rates;
    for (;;) {
        const auto comma = text.find(',');
        const auto part = text.substr(0, comma);
        const auto parsed = parse_rate(part);
        if (!parsed) return parsed.error();
        if (std::ranges::find(rates, parsed->seconds, &rate::seconds) != rates.end())
            return bad_rate(part, "repeats the seconds of an earlier one. Each period can have one rate");
        if (rates.size() == max_rates)
            return error{errc::invalid_argument,
                         "There are more than " + std::to_string(max_rates) + " rates in one limit"};
        rates.push_back(*parsed);
        if (comma == std::string_view::npos) return rates;
        text.remove_prefix(comma + 1);
    }
}

}  // namespace gallery::accounts
