// SPDX-License-Identifier: Apache-2.0
/// A small value and short names for what the cache's tests do again and again.
#pragma once

#include "cache/lru.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gallery::cache::test {

struct number {
    std::uint64_t value = 0;
    friend bool operator==(const number&, const number&) = default;
};
using number_lru = lru<number>;
using time_point = number_lru::time_point;

inline constexpr std::chrono::minutes life{60};
inline constexpr time_point start{std::chrono::hours{1000}};

inline lru_key key(std::string_view text, std::uint8_t variant = 0) {
    return {.scope = {7, 9}, .variant = variant, .text = text};
}

/// A key of @p size bytes that begins with @p n.
inline std::string name(std::uint64_t n, std::size_t size = 20) {
    std::string text = std::to_string(n);
    text.resize(size, '.');
    return text;
}

inline bool fill(number_lru& cache, const lru_key& k, std::uint64_t value, time_point now = start) {
    return cache.complete_fill(cache.begin_fill(k), k, {value}, now);
}

inline std::optional<std::uint64_t> find(number_lru& cache, const lru_key& k, time_point now = start) {
    if (const auto found = cache.find(k, now)) return found->value;
    return std::nullopt;
}

/// Bytes that an entry under key(text) occupies, if its text has @p size bytes.
constexpr std::size_t occupied(std::size_t size) {
    return number_lru::occupied(16 + size);
}

/// Bytes of the index: what is occupied without any entry.
inline std::uint64_t index_bytes(std::size_t bound) {
    return number_lru(bound, life).counters().bytes;
}

/// Fills with name(0), name(1), ... until the next one would evict. Returns how many.
inline std::uint64_t fill_up(number_lru& cache, std::size_t key_size = 20) {
    std::uint64_t n = 0;
    for (; cache.counters().bytes + occupied(key_size) <= cache.max_bytes(); ++n)
        fill(cache, key(name(n, key_size)), n);
    return n;
}

}  // namespace gallery::cache::test
