// SPDX-License-Identifier: Apache-2.0
/// A SHA-256 as text without an allocation: an etag is written with every answer.
#pragma once

#include <gallery/sha256.hpp>

#include <array>
#include <cstddef>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace gallery {

/// 64 lower-case hexadecimal digits, as to_hex().
inline std::array<char, 2 * sizeof(sha256_digest)> hex_digits(const sha256_digest& digest) noexcept {
    std::array<char, 2 * sizeof(sha256_digest)> text;  // all of it is written below
#if defined(__SSE2__)
    // Sixteen bytes become 32 digits at a time.
    const auto letters = [](__m128i digits) {
        const auto beyond = _mm_cmpgt_epi8(digits, _mm_set1_epi8(9));
        const auto gap = _mm_and_si128(beyond, _mm_set1_epi8('a' - '0' - 10));
        return _mm_add_epi8(_mm_add_epi8(digits, _mm_set1_epi8('0')), gap);
    };
    static_assert(sizeof(sha256_digest) % 16 == 0);
    const auto four_bits = _mm_set1_epi8(15);
    for (std::size_t at = 0; at < digest.size(); at += 16) {
        const auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(digest.data() + at));
        const auto high = _mm_and_si128(_mm_srli_epi16(bytes, 4), four_bits);
        const auto low = _mm_and_si128(bytes, four_bits);
        auto* const out = reinterpret_cast<__m128i*>(text.data() + 2 * at);
        _mm_storeu_si128(out, letters(_mm_unpacklo_epi8(high, low)));
        _mm_storeu_si128(out + 1, letters(_mm_unpackhi_epi8(high, low)));
    }
#else
    constexpr char digits[] = "0123456789abcdef";
    for (std::size_t i = 0; i < digest.size(); ++i) {
        const auto byte = std::to_integer<std::size_t>(digest[i]);
        text[2 * i] = digits[byte >> 4];
        text[2 * i + 1] = digits[byte & 15];
    }
#endif
    return text;
}

}  // namespace gallery
