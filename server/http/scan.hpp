// SPDX-License-Identifier: Apache-2.0
/// Finding the byte that ends something, sixteen and more at a time where the processor can (SSE2, which
/// every x86-64 has). Nothing behind the given end is read. Each has a plain counterpart for other processors
/// and for what is left at the end; both find the same byte.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace gallery::http::scan {

/// The characters of RFC 9110's token.
inline constexpr auto token_characters = [] {
    std::array<bool, 256> set{};
    for (int c = '0'; c <= '9'; ++c)
        set[static_cast<std::size_t>(c)] = true;
    for (int c = 'a'; c <= 'z'; ++c)
        set[static_cast<std::size_t>(c)] = true;
    for (int c = 'A'; c <= 'Z'; ++c)
        set[static_cast<std::size_t>(c)] = true;
    for (const char c : std::string_view("!#$%&'*+-.^_`|~"))
        set[static_cast<unsigned char>(c)] = true;
    return set;
}();

constexpr bool ends_value(unsigned char c) noexcept {
    return (c < 0x20 && c != '\t') || c == 0x7F;
}
constexpr bool ends_target(unsigned char c) noexcept {
    return c <= 0x20 || c >= 0x7F;
}

/// The first byte that is not a token's; @p end if there is none.
inline const char* token(const char* at, const char* end) noexcept {
    while (at != end && token_characters[static_cast<unsigned char>(*at)])
        ++at;
    return at;
}

namespace plain {
inline const char* value(const char* at, const char* end) noexcept {
    while (at != end && !ends_value(static_cast<unsigned char>(*at)))
        ++at;
    return at;
}
inline const char* target(const char* at, const char* end) noexcept {
    while (at != end && !ends_target(static_cast<unsigned char>(*at)))
        ++at;
    return at;
}
}  // namespace plain

#if defined(__SSE2__)

inline __m128i load(const char* at) noexcept {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}

inline unsigned value_ends(__m128i block) noexcept {
    const auto control = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1F)), block);
    const auto tab = _mm_cmpeq_epi8(block, _mm_set1_epi8('\t'));
    const auto del = _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7F));
    return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, control), del)));
}

inline unsigned target_ends(__m128i block) noexcept {
    // As signed bytes, what is above 0x20 and below 0x7F is exactly what a target may have.
    const auto inside =
        _mm_and_si128(_mm_cmpgt_epi8(block, _mm_set1_epi8(0x20)), _mm_cmplt_epi8(block, _mm_set1_epi8(0x7F)));
    return static_cast<unsigned>(_mm_movemask_epi8(inside)) ^ 0xFFFFU;
}

/// True where all 64 bytes are printable ASCII: what a long value, a token, is made of.
inline bool is_printable_64(const char* at) noexcept {
    const auto a = load(at);
    const auto b = load(at + 16);
    const auto c = load(at + 32);
    const auto d = load(at + 48);
    const auto least = _mm_min_epu8(_mm_min_epu8(a, b), _mm_min_epu8(c, d));
    const auto most = _mm_max_epu8(_mm_max_epu8(a, b), _mm_max_epu8(c, d));
    const auto outside =
        _mm_or_si128(_mm_subs_epu8(_mm_set1_epi8(0x20), least), _mm_subs_epu8(most, _mm_set1_epi8(0x7E)));
    return _mm_movemask_epi8(_mm_cmpeq_epi8(outside, _mm_setzero_si128())) == 0xFFFF;
}

#endif

/// The first byte that ends a field value; @p end if there is none.
inline const char* value(const char* at, const char* end) noexcept {
#if defined(__SSE2__)
    const char* const begin = at;
    while (end - at >= 64 && is_printable_64(at))
        at += 64;
    for (; end - at >= 16; at += 16) {
        if (const auto mask = value_ends(load(at)); mask != 0) return at + __builtin_ctz(mask);
    }
    if (end - begin >= 16) {
        // The rest together with bytes that were seen before, in which nothing is found again.
        const auto mask = value_ends(load(end - 16));
        return mask == 0 ? end : end - 16 + __builtin_ctz(mask);
    }
#endif
    return plain::value(at, end);
}

/// The first byte that ends a request's target.
inline const char* target(const char* at, const char* end) noexcept {
#if defined(__SSE2__)
    for (; end - at >= 16; at += 16) {
        if (const auto mask = target_ends(load(at)); mask != 0) return at + __builtin_ctz(mask);
    }
#endif
    return plain::target(at, end);
}

/// The first colon among the next bytes, as far as one look reaches; null where none was seen. Fields have
/// short names.
inline const char* near_colon(const char* at, const char* end) noexcept {
#if defined(__SSE2__)
    if (end - at < 32) return nullptr;
    const auto colon = _mm_set1_epi8(':');
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(load(at), colon))) |
                      static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(load(at + 16), colon))) << 16;
    return mask == 0 ? nullptr : at + __builtin_ctz(mask);
#else
    static_cast<void>(at);
    static_cast<void>(end);
    return nullptr;
#endif
}

}  // namespace gallery::http::scan
