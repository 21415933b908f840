// SPDX-License-Identifier: Apache-2.0
#include "http/range.hpp"

#include "http/conditional.hpp"
#include "http/http_date.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace gallery::http {

namespace {

// Digits only; a number too large for 64 bits is as good as the largest one.
std::optional<std::uint64_t> read_number(std::string_view& text) noexcept {
    if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
    std::uint64_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure == std::errc::result_out_of_range) value = ~std::uint64_t{0};
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return value;
}

bool if_range_allows(const request& message, std::string_view etag,
                     std::optional<std::int64_t> last_modified) noexcept {
    const auto value = message.header(field::if_range);
    if (value.empty()) return true;
    if (value.front() == '"' || value.starts_with("W/")) {
        auto rest = value;
        bool malformed = false;
        const auto tag = next_entity_tag(rest, malformed);
        return tag && rest.empty() && !tag->weak && !etag.empty() && tag->opaque == etag;
    }
    using namespace std::chrono;
    const auto now = duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
    const auto date = parse_http_date(value, now);
    // RFC 9110, 13.1.5: an exact match, and only of a date that is a strong validator (8.8.2.2: at least a
    // minute old, here).
    return date && last_modified && *date == *last_modified && now - *date >= 60;
}

}  // namespace

range_choice parse_range(std::string_view value, std::uint64_t size) noexcept {
    constexpr range_choice whole;
    constexpr range_choice unsatisfiable{range_kind::unsatisfiable, {}};
    const auto equals = value.find('=');
    if (equals == value.npos || !equals_ignoring_case(value.substr(0, equals), "bytes")) return whole;
    auto set = value.substr(equals + 1);
    // A list may have empty elements; more than one range is answered with the whole.
    std::string_view spec;
    while (!set.empty()) {
        const auto comma = set.find(',');
        const auto element = trim(set.substr(0, comma));
        set = comma == set.npos ? std::string_view() : set.substr(comma + 1);
        if (element.empty()) continue;
        if (!spec.empty()) return whole;
        spec = element;
    }
    if (spec.empty()) return whole;
    if (spec.front() == '-') {
        spec.remove_prefix(1);
        const auto suffix = read_number(spec);
        if (!suffix || !spec.empty()) return whole;
        if (*suffix == 0 || size == 0) return unsatisfiable;
        const auto length = std::min(*suffix, size);
        return {range_kind::part, {size - length, length}};
    }
    const auto first = read_number(spec);
    if (!first || spec.empty() || spec.front() != '-') return whole;
    spec.remove_prefix(1);
    auto last = ~std::uint64_t{0};
    if (!spec.empty()) {
        const auto given = read_number(spec);
        if (!given || !spec.empty() || *given < *first) return whole;
        last = *given;
    }
    if (*first >= size) return unsatisfiable;
    return {range_kind::part, {*first, std::min(last, size - 1) - *first + 1}};
}

range_choice choose_range(const request& message, std::uint64_t size, std::string_view etag,
                          std::optional<std::int64_t> last_modified) noexcept {
    // RFC 9110, 14.2: defined for GET only.
    if (message.verb() != method::get || !message.has(field::range)) return {};
    std::size_t lines = 0;
    message.for_each(field::range, [&lines](std::string_view) { ++lines; });
    if (lines != 1 || !if_range_allows(message, etag, last_modified)) return {};
    return parse_range(message.header(field::range), size);
}

std::string content_range(const byte_range& range, std::uint64_t size) {
    return "bytes " + std::to_string(range.first) + "-" + std::to_string(range.first + range.length - 1) +
           "/" + std::to_string(size);
}

std::string content_range_unsatisfied(std::uint64_t size) {
    return "bytes */" + std::to_string(size);
}

}  // namespace gallery::http
