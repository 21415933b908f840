// SPDX-License-Identifier: Apache-2.0
#include "config/payload_limits.hpp"

#include "config/entries.hpp"
#include "config/values.hpp"

namespace gallery::config {

namespace {

/// `*` and `?` within one segment; iterative with one point to return to, so that no pattern is expensive.
bool segment_match(std::string_view pattern, std::string_view text) noexcept {
    std::size_t p = 0;
    std::size_t t = 0;
    std::size_t star = std::string_view::npos;
    std::size_t mark = 0;
    while (t < text.size()) {
        if (p < pattern.size() && (pattern[p] == '?' || (pattern[p] == text[t] && pattern[p] != '*'))) {
            ++p;
            ++t;
        } else if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            mark = t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*')
        ++p;
    return p == pattern.size();
}

std::vector<std::string_view> split(std::string_view path) {
    std::vector<std::string_view> segments;
    for (;;) {
        const auto slash = path.find('/');
        segments.push_back(path.substr(0, slash));
        if (slash == std::string_view::npos) return segments;
        path.remove_prefix(slash + 1);
    }
}

}  // namespace

bool ant_match(std::string_view pattern, std::string_view path) noexcept {
    const auto wanted = split(pattern);
    const auto given = split(path);
    // The same walk as within a segment, one level up: ** is the star.
    std::size_t p = 0;
    std::size_t g = 0;
    std::size_t star = std::string_view::npos;
    std::size_t mark = 0;
    while (g < given.size()) {
        if (p < wanted.size() && wanted[p] == "**") {
            star = p++;
            mark = g;
        } else if (p < wanted.size() && segment_match(wanted[p], given[g])) {
            ++p;
            ++g;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            g = ++mark;
        } else {
            return false;
        }
    }
    while (p < wanted.size() && wanted[p] == "**")
        ++p;
    return p == wanted.size();
}

result<payload_limits> payload_limits::parse(std::string_view text) {
    payload_limits limits;
    while (const auto next = next_entry(text, ';')) {
        const std::string_view entry = *next;
        const auto equals = entry.rfind('=');
        const auto pattern = entry.substr(0, equals == std::string_view::npos ? 0 : equals);
        if (pattern.empty() || pattern.front() != '/') {
            return error{
                errc::invalid_argument,
                "'" + std::string(entry) + "' is not \"/pattern=bytes\"; entries are separated by ';'"};
        }
        const auto bytes = parse_unsigned(entry.substr(equals + 1));
        if (!bytes) {
            return error{errc::invalid_argument,
                         "the limit in '" + std::string(entry) + "' is not a whole number of bytes"};
        }
        limits.entries_.emplace_back(pattern, *bytes);
    }
    return limits;
}

std::optional<std::uint64_t> payload_limits::limit(std::string_view path) const noexcept {
    for (const auto& [pattern, bytes] : entries_) {
        if (ant_match(pattern, path)) return bytes;
    }
    return std::nullopt;
}

}  // namespace gallery::config
