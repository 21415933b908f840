// SPDX-License-Identifier: Apache-2.0
// Durations and sizes as people write them.
#include "load/scenario.hpp"

#include <array>
#include <charconv>
#include <optional>

namespace gallery::load {

namespace {

struct unit {
    std::string_view name;
    double factor;
};

constexpr std::array<unit, 5> duration_units{
    {{"h", 3.6e12}, {"m", 6e10}, {"s", 1e9}, {"ms", 1e6}, {"us", 1e3}}};
constexpr std::array<unit, 6> size_units{
    {{"", 1}, {"B", 1}, {"KiB", 1024}, {"MiB", 1048576}, {"KB", 1e3}, {"MB", 1e6}}};

/// In the unit whose factor is 1.
template <class Units>
std::optional<double> quantity(std::string_view text, const Units& units, double most) {
    double number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failed != std::errc() || !(number >= 0)) return std::nullopt;
    std::string_view name(end, static_cast<std::size_t>(text.data() + text.size() - end));
    while (name.starts_with(' '))
        name.remove_prefix(1);
    for (const auto& one : units) {
        if (one.name != name) continue;
        const double value = number * one.factor;
        if (value <= most) return value;
    }
    return std::nullopt;
}

std::string shown(std::string_view text) {
    return "'" + std::string(text.substr(0, 80)) + "'";
}

}  // namespace

result<std::chrono::nanoseconds> parse_duration(std::string_view text) {
    constexpr double a_week = 7 * 24 * 3.6e12;
    const auto value = quantity(text, duration_units, a_week);
    if (!value)
        return error{errc::invalid_argument,
                     shown(text) + " is not a duration. Examples: 500ms, 30s, 2m, 1h"};
    return std::chrono::nanoseconds(static_cast<std::int64_t>(*value));
}

result<std::size_t> parse_size(std::string_view text) {
    constexpr double a_gigabyte = 1U << 30U;
    const auto value = quantity(text, size_units, a_gigabyte);
    if (!value)
        return error{errc::invalid_argument,
                     shown(text) + " is not a size. Examples: 700, 14KiB, 2MiB, 100KB"};
    return static_cast<std::size_t>(*value);
}

}  // namespace gallery::load
