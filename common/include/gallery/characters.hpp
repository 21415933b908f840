// SPDX-License-Identifier: Apache-2.0
/// Single characters: classes and case within ASCII, blanks, and UTF-8. Header-only, so that a program can
/// use it without the common library. All functions are thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gallery {

/// A letter or a digit of ASCII.
constexpr bool is_ascii_alphanumeric(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Without spaces and tabs on either side (RFC 9110, 5.6.3: OWS).
constexpr std::string_view trim(std::string_view text) noexcept {
    const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && is_blank(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back()))
        text.remove_suffix(1);
    return text;
}

/// Of a letter of ASCII the lower-case one; every other character is returned as it is.
constexpr char ascii_lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

inline std::string ascii_lower(std::string_view text) {
    std::string lower(text);
    for (char& c : lower)
        c = ascii_lower(c);
    return lower;
}

/// Of a letter of ASCII the upper-case one; every other character is returned as it is.
constexpr char ascii_upper(char c) noexcept {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c & ~0x20) : c;
}

inline std::string ascii_upper(std::string_view text) {
    std::string upper(text);
    for (char& c : upper)
        c = ascii_upper(c);
    return upper;
}

/// ASCII only, as header names, media types and codings are compared.
constexpr bool equals_ignoring_case(std::string_view left, std::string_view right) noexcept {
    if (left.size() != right.size()) return false;
    for (std::size_t i = 0; i < left.size(); ++i)
        if (left[i] != right[i] && ascii_lower(left[i]) != ascii_lower(right[i])) return false;
    return true;
}

/// ASCII only.
constexpr bool ends_with_ignoring_case(std::string_view text, std::string_view ending) noexcept {
    return text.size() >= ending.size() &&
           equals_ignoring_case(text.substr(text.size() - ending.size()), ending);
}

/// Appends a character in UTF-8; U+FFFD if it is a surrogate or above U+10FFFF.
inline void append_utf8(std::string& out, char32_t c) {
    if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) c = 0xFFFD;
    const auto put = [&out](char32_t octet) { out.push_back(static_cast<char>(octet)); };
    if (c < 0x80) return put(c);
    const auto follow = [&](unsigned shift) { put(0x80 | (c >> shift & 0x3F)); };
    if (c < 0x800) {
        put(0xC0 | c >> 6U);
    } else if (c < 0x10000) {
        put(0xE0 | c >> 12U);
        follow(6);
    } else {
        put(0xF0 | c >> 18U);
        follow(12);
        follow(6);
    }
    follow(0);
}

}  // namespace gallery
