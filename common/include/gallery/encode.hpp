// SPDX-License-Identifier: Apache-2.0
/// Hexadecimal digits and Base64 (RFC 4648, sections 4, 5 and 8). Header-only, so that a program can use it
/// without the common library. All functions are thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace gallery {

// ---- hexadecimal ---------------------------------------------------------------------------------

inline constexpr std::string_view lower_hex_digits = "0123456789abcdef";
inline constexpr std::string_view upper_hex_digits = "0123456789ABCDEF";

/// The value of a hexadecimal digit of either case; -1 for another character.
constexpr int hex_value(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// The octet that two digits of either case stand for; -1 if one of them is not a digit.
constexpr int hex_octet(char high, char low) noexcept {
    const int first = hex_value(high);
    const int second = hex_value(low);
    return first < 0 || second < 0 ? -1 : first * 16 + second;
}

/// Appends the two digits of @p octet.
inline void append_hex(std::string& out, std::uint8_t octet, std::string_view digits = lower_hex_digits) {
    out += digits[octet >> 4U];
    out += digits[octet & 15U];
}

/// The lower-case digits of @p data. Does not allocate: an etag is written with every answer.
template <std::size_t Size>
std::array<char, 2 * Size> hex_digits(const std::array<std::byte, Size>& data) noexcept {
    std::array<char, 2 * Size> text;  // all of it is written below
#if defined(__SSE2__)
    // Sixteen bytes become 32 digits at a time.
    constexpr std::size_t blocks_end = Size / 16 * 16;
    const auto letters = [](__m128i digits) {
        const auto beyond = _mm_cmpgt_epi8(digits, _mm_set1_epi8(9));
        const auto gap = _mm_and_si128(beyond, _mm_set1_epi8('a' - '0' - 10));
        return _mm_add_epi8(_mm_add_epi8(digits, _mm_set1_epi8('0')), gap);
    };
    const auto four_bits = _mm_set1_epi8(15);
    for (std::size_t at = 0; at < blocks_end; at += 16) {
        const auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(data.data() + at));
        const auto high = _mm_and_si128(_mm_srli_epi16(bytes, 4), four_bits);
        const auto low = _mm_and_si128(bytes, four_bits);
        auto* const out = reinterpret_cast<__m128i*>(text.data() + 2 * at);
        _mm_storeu_si128(out, letters(_mm_unpacklo_epi8(high, low)));
        _mm_storeu_si128(out + 1, letters(_mm_unpackhi_epi8(high, low)));
    }
#else
    constexpr std::size_t blocks_end = 0;
#endif
    for (std::size_t at = blocks_end; at < Size; ++at) {
        const auto octet = std::to_integer<std::size_t>(data[at]);
        text[2 * at] = lower_hex_digits[octet >> 4U];
        text[2 * at + 1] = lower_hex_digits[octet & 15U];
    }
    return text;
}

/// Two lower-case digits for each byte.
inline std::string hex_encode(std::string_view data) {
    std::string text;
    text.reserve(data.size() * 2);
    for (const char c : data)
        append_hex(text, static_cast<std::uint8_t>(c));
    return text;
}

/// The inverse of hex_encode(). Upper-case digits are accepted as well.
inline std::optional<std::string> hex_decode(std::string_view text) {
    if (text.size() % 2 != 0) return std::nullopt;
    std::string data;
    data.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int octet = hex_octet(text[i], text[i + 1]);
        if (octet < 0) return std::nullopt;
        data += static_cast<char>(octet);
    }
    return data;
}

// ---- Base64 --------------------------------------------------------------------------------------

namespace detail {

inline constexpr std::string_view base64_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
inline constexpr std::string_view base64url_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

inline constexpr auto base64_values = [] {
    std::array<std::int8_t, 256> values{};
    values.fill(-1);
    for (std::size_t i = 0; i < base64_digits.size(); ++i) {
        values[static_cast<unsigned char>(base64_digits[i])] = static_cast<std::int8_t>(i);
        values[static_cast<unsigned char>(base64url_digits[i])] = static_cast<std::int8_t>(i);
    }
    return values;
}();

/// The value of a digit of either alphabet; -1 for another character.
constexpr int base64_value(char c) noexcept {
    return base64_values[static_cast<unsigned char>(c)];
}

inline void append_base64(std::span<const char> data, std::string& out, std::string_view digits) {
    const auto start = out.size();
    out.resize(start + (data.size() + 2) / 3 * 4, '=');
    char* to = out.data() + start;
    const auto octet = [&data](std::size_t i) { return std::uint32_t{static_cast<unsigned char>(data[i])}; };
    std::size_t at = 0;
    for (; at + 3 <= data.size(); at += 3) {
        const auto group = octet(at) << 16U | octet(at + 1) << 8U | octet(at + 2);
        *to++ = digits[group >> 18U];
        *to++ = digits[group >> 12U & 63U];
        *to++ = digits[group >> 6U & 63U];
        *to++ = digits[group & 63U];
    }
    const auto remaining = data.size() - at;
    if (remaining == 0) return;
    const auto group = octet(at) << 16U | (remaining == 2 ? octet(at + 1) << 8U : 0U);
    *to++ = digits[group >> 18U];
    *to++ = digits[group >> 12U & 63U];
    if (remaining == 2) *to = digits[group >> 6U & 63U];
}

}  // namespace detail

/// Appends the encoding of @p data with padding to @p out, which grows once, by exactly as much as is needed.
inline void append_base64(std::span<const char> data, std::string& out) {
    detail::append_base64(data, out, detail::base64_digits);
}

/// With padding.
inline std::string base64_encode(std::string_view data) {
    std::string text;
    append_base64(data, text);
    return text;
}

/// The alphabet for URLs, without padding.
inline std::string base64url_encode(std::string_view data) {
    std::string text;
    detail::append_base64(data, text, detail::base64url_digits);
    while (text.ends_with('='))
        text.pop_back();
    return text;
}

/// Decodes Base64 that arrives in pieces of any length. Not thread-safe; used once. Accepts both alphabets,
/// white space and line breaks, and missing padding.
class base64_reader {
public:
    /// Appends the decoded bytes of @p text to @p out, a container of char. False at the first character that
    /// is wrong.
    template <class Out>
    [[nodiscard]] bool feed(std::string_view text, Out& out) {
        std::size_t at = 0;
        while (at < text.size()) {
            // Whole groups first: four look-ups and one check for all of them.
            while (digits_ == 0 && padding_ == 0 && text.size() - at >= 4) {
                const int a = detail::base64_value(text[at]);
                const int b = detail::base64_value(text[at + 1]);
                const int c = detail::base64_value(text[at + 2]);
                const int d = detail::base64_value(text[at + 3]);
                if ((a | b | c | d) < 0) break;
                const std::array<char, 3> three{static_cast<char>(a << 2 | b >> 4),
                                                static_cast<char>(b << 4 | c >> 2),
                                                static_cast<char>(c << 6 | d)};
                out.insert(out.end(), three.begin(), three.end());
                at += 4;
            }
            if (at == text.size()) break;
            if (!feed_one(text[at++], out)) return false;
        }
        return true;
    }

    /// Appends the last group if it has no padding. False if the text ended too early. Without padding the
    /// bits behind the last byte must be 0; in a text that was cut off they usually are not.
    template <class Out>
    [[nodiscard]] bool finish(Out& out) {
        if (digits_ == 0) return true;
        const unsigned spare = digits_ == 2 ? 0xF : 0x3;
        if (digits_ == 1 || padding_ > 0 || (group_ & spare) != 0) return false;
        end_group(out);
        return true;
    }

private:
    template <class Out>
    bool feed_one(char c, Out& out) {
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f') return true;
        if (c == '=' && digits_ >= 2 && digits_ + padding_ < 4) {
            if (++padding_ + digits_ == 4) end_group(out);
            return true;
        }
        const int value = detail::base64_value(c);
        if (value < 0 || padding_ > 0) return false;
        group_ = (group_ << 6U | static_cast<unsigned>(value)) & 0xFFFFFF;
        if (++digits_ == 4) {
            for (const unsigned shift : {16U, 8U, 0U})
                out.push_back(static_cast<char>(group_ >> shift));
            digits_ = 0;
        }
        return true;
    }
    template <class Out>
    void end_group(Out& out) {
        out.push_back(static_cast<char>(group_ >> (digits_ == 2 ? 4U : 10U)));
        if (digits_ == 3) out.push_back(static_cast<char>(group_ >> 2U));
        digits_ = 0;
    }

    unsigned group_ = 0;    ///< bits of an incomplete group
    unsigned digits_ = 0;   ///< of that group, 0 to 3
    unsigned padding_ = 0;  ///< '=' seen
};

namespace detail {

/// @p refused: what base64_reader accepts and the caller does not.
inline std::optional<std::string> base64_decode(std::string_view text, std::string_view refused) {
    if (text.find_first_of(refused) != text.npos) return std::nullopt;
    std::string data;
    data.reserve(text.size() * 3 / 4);
    base64_reader reader;
    if (!reader.feed(text, data) || !reader.finish(data)) return std::nullopt;
    return data;
}

}  // namespace detail

/// Strict: the alphabet for URLs without padding, and unused bits are 0, so that each value has one text.
inline std::optional<std::string> base64url_decode(std::string_view text) {
    return detail::base64_decode(text, "+/= \t\r\n\f");
}

/// Accepts text with and without padding; otherwise as strict as base64url_decode().
inline std::optional<std::string> base64_decode(std::string_view text) {
    if (text.size() % 4 == 0) {
        if (text.ends_with('=')) text.remove_suffix(1);
        if (text.ends_with('=')) text.remove_suffix(1);
    }
    return detail::base64_decode(text, "-_= \t\r\n\f");
}

}  // namespace gallery
