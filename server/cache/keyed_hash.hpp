// SPDX-License-Identifier: Apache-2.0
/// A fast hash with a secret of the process, for tables whose keys come from clients.
///
/// Not cryptographic. Without the secret, keys that collide cannot be chosen, which is sufficient for a hash
/// table. Values differ between processes: never store or send them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace gallery::cache {

/// 128 bits from the operating system's generator, drawn once per process. Thread-safe.
const std::array<std::uint64_t, 2>& hash_secret() noexcept;

namespace detail {

/// Both halves of the full product, folded: every bit of the result depends on every bit of both factors.
inline std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
    __extension__ using wide = unsigned __int128;
    const wide product = static_cast<wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

template <class Word>
std::uint64_t load(const char* from) noexcept {
    Word word;
    std::memcpy(&word, from, sizeof word);
    return word;
}

}  // namespace detail

/// Hashes @p text, continuing from @p start (0, or a hash of what precedes the text in the key).
inline std::uint64_t keyed_hash(const std::array<std::uint64_t, 2>& secret, std::string_view text,
                                std::uint64_t start = 0) noexcept {
    using detail::fold;
    using detail::load;
    const char* at = text.data();
    std::size_t left = text.size();
    std::uint64_t hash = start ^ secret[0];
    // A token is long: three independent products, each with other secret bits, so that exchanged parts of
    // the text change the hash.
    if (left > 48) {
        std::uint64_t second = hash ^ (secret[1] << 1 | 1);
        std::uint64_t third = hash ^ (secret[0] << 1 | 1);
        do {
            hash = fold(load<std::uint64_t>(at) ^ secret[1], load<std::uint64_t>(at + 8) ^ hash);
            second = fold(load<std::uint64_t>(at + 16) ^ secret[1], load<std::uint64_t>(at + 24) ^ second);
            third = fold(load<std::uint64_t>(at + 32) ^ secret[1], load<std::uint64_t>(at + 40) ^ third);
            at += 48;
            left -= 48;
        } while (left > 48);
        hash = fold(hash ^ secret[1], fold(second ^ secret[0], third));
    }
    while (left > 16) {
        hash = fold(load<std::uint64_t>(at) ^ secret[1], load<std::uint64_t>(at + 8) ^ hash);
        at += 16;
        left -= 16;
    }
    // The tail is read as two overlapping words; the length below distinguishes texts with equal words.
    std::uint64_t first = 0;
    std::uint64_t second = 0;
    if (left >= 8) {
        first = load<std::uint64_t>(at);
        second = load<std::uint64_t>(at + left - 8);
    } else if (left >= 4) {
        first = load<std::uint32_t>(at);
        second = load<std::uint32_t>(at + left - 4);
    } else if (left > 0) {
        first = load<std::uint8_t>(at) | load<std::uint8_t>(at + left / 2) << 8;
        second = load<std::uint8_t>(at + left - 1);
    }
    hash = fold(first ^ secret[1], second ^ hash);
    return fold(hash ^ secret[0], text.size() ^ secret[1]);
}

}  // namespace gallery::cache
