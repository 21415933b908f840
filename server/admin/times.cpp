// SPDX-License-Identifier: Apache-2.0
#include "admin/times.hpp"

#include <gallery/clock.hpp>

#include <charconv>
#include <cstdio>
#include <ctime>
#include <optional>

namespace gallery::admin {

namespace {

std::optional<int> digits(std::string_view text) {
    int value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + (c - '0');
    }
    return value;
}

/// "2027-01-31" or "2027-01-31T12:00:00Z".
std::optional<std::int64_t> parse_date(std::string_view text) {
    const bool with_time =
        text.size() == 20 && text[10] == 'T' && text[13] == ':' && text[16] == ':' && text[19] == 'Z';
    if (!with_time && text.size() != 10) return std::nullopt;
    if (text[4] != '-' || text[7] != '-') return std::nullopt;
    const auto year = digits(text.substr(0, 4));
    const auto month = digits(text.substr(5, 2));
    const auto day = digits(text.substr(8, 2));
    const auto hour = with_time ? digits(text.substr(11, 2)) : 0;
    const auto minute = with_time ? digits(text.substr(14, 2)) : 0;
    const auto second = with_time ? digits(text.substr(17, 2)) : 0;
    if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
    std::tm when{};
    when.tm_year = *year - 1900;
    when.tm_mon = *month - 1;
    when.tm_mday = *day;
    when.tm_hour = *hour;
    when.tm_min = *minute;
    when.tm_sec = *second;
    const std::tm asked = when;
    const std::int64_t seconds = ::timegm(&when);
    // 31 February was made 3 March.
    if (when.tm_mon != asked.tm_mon || when.tm_mday != asked.tm_mday || when.tm_hour != asked.tm_hour ||
        when.tm_min != asked.tm_min) {
        return std::nullopt;
    }
    return seconds * 1000;
}

std::optional<std::int64_t> parse_span(std::string_view text) {
    if (text.size() < 2) return std::nullopt;
    const char unit = text.back();
    text.remove_suffix(1);
    std::int64_t count = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), count);
    // A hundred years of minutes.
    constexpr std::int64_t most = 52'560'000;
    if (failed != std::errc() || end != text.data() + text.size() || count <= 0 || count > most)
        return std::nullopt;
    constexpr std::int64_t minute = 60'000;
    switch (unit) {
        case 'm':
            return count * minute;
        case 'h':
            return count * 60 * minute;
        case 'd':
            return count * 24 * 60 * minute;
        default:
            return std::nullopt;
    }
}

}  // namespace

result<std::int64_t> parse_expiry(std::string_view text, std::int64_t now) {
    if (text == "never") return 0;
    if (const auto span = parse_span(text)) return now + *span;
    if (const auto date = parse_date(text)) {
        if (*date > now) return *date;
        return error{errc::invalid_argument, "'" + std::string(text) + "' is in the past"};
    }
    return error{errc::invalid_argument,
                 "'" + std::string(text.substr(0, 80)) +
                     "' is not a time. Examples: 90d, 12h, 30m, 2027-01-31, 2027-01-31T12:00:00Z, never"};
}

std::string format_time(std::int64_t milliseconds) {
    return milliseconds == 0 ? "-" : utc_text(milliseconds);
}

}  // namespace gallery::admin
