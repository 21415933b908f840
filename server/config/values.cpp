// SPDX-License-Identifier: Apache-2.0
#include "config/values.hpp"

#include <gallery/encode.hpp>

#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace gallery::config {

namespace {

/// The number at the front of @p text, which it is removed from.
std::optional<std::uint64_t> take_number(std::string_view& text) noexcept {
    if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
    std::uint64_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return value;
}

template <std::size_t N>
std::optional<std::uint64_t> with_unit(std::string_view text,
                                       const std::array<std::pair<std::string_view, std::uint64_t>, N>& units,
                                       std::uint64_t most) noexcept {
    const auto number = take_number(text);
    if (!number) return std::nullopt;
    for (const auto& [unit, factor] : units) {
        if (unit != text) continue;
        if (*number > most / factor) return std::nullopt;
        return *number * factor;
    }
    return std::nullopt;
}

}  // namespace

std::optional<bool> parse_bool(std::string_view text) noexcept {
    if (text == "true") return true;
    if (text == "false") return false;
    return std::nullopt;
}

std::optional<std::uint64_t> parse_unsigned(std::string_view text) noexcept {
    const auto number = take_number(text);
    return text.empty() ? number : std::nullopt;
}

std::optional<std::uint64_t> parse_size(std::string_view text) noexcept {
    static constexpr std::array<std::pair<std::string_view, std::uint64_t>, 14> units{{
        {"", 1},
        {"B", 1},
        {"K", 1ULL << 10},
        {"M", 1ULL << 20},
        {"G", 1ULL << 30},
        {"T", 1ULL << 40},
        {"KiB", 1ULL << 10},
        {"MiB", 1ULL << 20},
        {"GiB", 1ULL << 30},
        {"TiB", 1ULL << 40},
        {"kB", 1'000},
        {"MB", 1'000'000},
        {"GB", 1'000'000'000},
        {"TB", 1'000'000'000'000},
    }};
    return with_unit(text, units, std::numeric_limits<std::int64_t>::max());
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) noexcept {
    static constexpr std::array<std::pair<std::string_view, std::uint64_t>, 5> units{{
        {"ms", 1},
        {"s", 1'000},
        {"m", 60'000},
        {"h", 3'600'000},
        {"d", 86'400'000},
    }};
    if (text == "0") return std::chrono::milliseconds(0);
    // At most a hundred years, so that clocks do not overflow.
    const auto value = with_unit(text, units, 100ULL * 366 * 86'400'000);
    if (!value) return std::nullopt;
    return std::chrono::milliseconds(static_cast<std::int64_t>(*value));
}

std::optional<std::string> parse_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    return base64_decode(text);
}

}  // namespace gallery::config
