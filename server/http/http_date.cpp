// SPDX-License-Identifier: Apache-2.0
#include "http/http_date.hpp"

#include <chrono>
#include <cstddef>
#include <string_view>

namespace gallery::http {

namespace {

constexpr std::string_view day_names = "SunMonTueWedThuFriSat";
constexpr std::string_view month_names = "JanFebMarAprMayJunJulAugSepOctNovDec";
constexpr std::array<std::string_view, 7> long_days{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                    "Thursday", "Friday", "Saturday"};

void put_number(char* at, unsigned value, int digits) noexcept {
    for (int i = digits; i-- > 0; value /= 10)
        at[i] = static_cast<char>('0' + value % 10);
}

/// Reads a date piece by piece; every function leaves `ok` false when something else was there.
struct scanner {
    std::string_view rest;
    bool ok = true;

    void literal(std::string_view expected) noexcept {
        if (!ok || !rest.starts_with(expected)) {
            ok = false;
            return;
        }
        rest.remove_prefix(expected.size());
    }
    unsigned number(std::size_t digits, bool leading_space = false) noexcept {
        unsigned value = 0;
        if (rest.size() < digits) ok = false;
        for (std::size_t i = 0; ok && i < digits; ++i) {
            const char c = rest[i];
            if (i == 0 && leading_space && c == ' ') continue;
            if (c < '0' || c > '9') ok = false;
            value = value * 10 + static_cast<unsigned>(c - '0');
        }
        if (ok) rest.remove_prefix(digits);
        return value;
    }
    /// Position of a three-letter name in a table of them.
    unsigned name(std::string_view table) noexcept {
        if (rest.size() < 3) ok = false;
        if (!ok) return 0;
        for (unsigned i = 0; i * 3 < table.size(); ++i) {
            if (table.substr(std::size_t{i} * 3, 3) == rest.substr(0, 3)) {
                rest.remove_prefix(3);
                return i;
            }
        }
        ok = false;
        return 0;
    }
};

struct parts {
    int year = 0;
    unsigned month = 0, day = 0, hour = 0, minute = 0, second = 0;
};

void read_time(scanner& in, parts& out) noexcept {
    out.hour = in.number(2);
    in.literal(":");
    out.minute = in.number(2);
    in.literal(":");
    out.second = in.number(2);
}

std::optional<std::int64_t> to_seconds(const parts& p) noexcept {
    using namespace std::chrono;
    const year_month_day date{year(p.year), month(p.month), day(p.day)};
    if (!date.ok() || p.hour > 23 || p.minute > 59 || p.second > 60) return std::nullopt;
    const auto days = sys_days(date).time_since_epoch();
    return duration_cast<seconds>(days).count() + p.hour * 3600 + p.minute * 60 + p.second;
}

}  // namespace

std::array<char, 29> format_http_date(std::int64_t seconds) noexcept {
    using namespace std::chrono;
    const sys_seconds time{std::chrono::seconds(seconds)};
    const auto midnight = floor<days>(time);
    const year_month_day date{midnight};
    const auto day_of_week = weekday(midnight).c_encoding();
    const auto second_of_day = static_cast<unsigned>((time - midnight).count());
    std::array<char, 29> out{};
    const auto copy = [&out](std::size_t at, std::string_view text) {
        for (std::size_t i = 0; i < text.size(); ++i)
            out[at + i] = text[i];
    };
    copy(0, "Sun, 00 Jan 0000 00:00:00 GMT");
    copy(0, day_names.substr(std::size_t{day_of_week} * 3, 3));
    put_number(&out[5], static_cast<unsigned>(date.day()), 2);
    copy(8, month_names.substr((static_cast<unsigned>(date.month()) - 1) * std::size_t{3}, 3));
    put_number(&out[12], static_cast<unsigned>(static_cast<int>(date.year())), 4);
    put_number(&out[17], second_of_day / 3600, 2);
    put_number(&out[20], second_of_day / 60 % 60, 2);
    put_number(&out[23], second_of_day % 60, 2);
    return out;
}

std::string http_date(std::int64_t seconds) {
    const auto text = format_http_date(seconds);
    return {text.data(), text.size()};
}

std::optional<std::int64_t> parse_http_date(std::string_view text, std::int64_t now) noexcept {
    parts date;
    scanner in{text};
    const auto comma = text.find(',');
    if (comma == 3) {  // Sun, 06 Nov 1994 08:49:37 GMT
        in.name(day_names);
        in.literal(", ");
        date.day = in.number(2);
        in.literal(" ");
        date.month = in.name(month_names) + 1;
        in.literal(" ");
        date.year = static_cast<int>(in.number(4));
        in.literal(" ");
        read_time(in, date);
        in.literal(" GMT");
    } else if (comma != text.npos) {  // Sunday, 06-Nov-94 08:49:37 GMT
        in.ok = false;
        for (const auto day : long_days)
            in.ok = in.ok || text.substr(0, comma) == day;
        in.rest = text.substr(comma);
        in.literal(", ");
        date.day = in.number(2);
        in.literal("-");
        date.month = in.name(month_names) + 1;
        in.literal("-");
        const auto two_digits = static_cast<int>(in.number(2));
        in.literal(" ");
        read_time(in, date);
        in.literal(" GMT");
        // More than 50 years ahead means the most recent year in the past with these digits.
        using namespace std::chrono;
        const int this_year = static_cast<int>(year_month_day(floor<days>(sys_seconds(seconds(now)))).year());
        date.year = this_year / 100 * 100 + two_digits;
        if (date.year > this_year + 50) date.year -= 100;
    } else {  // Sun Nov  6 08:49:37 1994
        in.name(day_names);
        in.literal(" ");
        date.month = in.name(month_names) + 1;
        in.literal(" ");
        date.day = in.number(2, true);
        in.literal(" ");
        read_time(in, date);
        in.literal(" ");
        date.year = static_cast<int>(in.number(4));
    }
    if (!in.ok || !in.rest.empty()) return std::nullopt;
    return to_seconds(date);
}

}  // namespace gallery::http
