// SPDX-License-Identifier: Apache-2.0
#include "http/charset.hpp"

#include "http/fields.hpp"

#include <gallery/characters.hpp>
#include <gallery/encode.hpp>
#include <gallery/text.hpp>

#include <array>
#include <utility>

namespace gallery::http {

namespace {

// 0x80 to 0x9F; 0 where windows-1252 defines nothing.
constexpr std::array<std::uint16_t, 32> windows_1252_high{
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

std::string from_windows_1252(std::string_view text) {
    std::string out;
    out.reserve(text.size() * 2);
    for (const char c : text) {
        const auto octet = static_cast<unsigned char>(c);
        const auto high = octet >= 0x80 && octet < 0xA0 ? windows_1252_high[octet - 0x80U] : 0U;
        append_utf8(out, high != 0 ? high : octet);
    }
    return out;
}

std::optional<std::string> decode_q(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '=') {
            out += text[i] == '_' ? ' ' : text[i];
            continue;
        }
        if (text.size() - i < 3) return std::nullopt;
        const int octet = hex_octet(text[i + 1], text[i + 2]);
        if (octet < 0) return std::nullopt;
        out += static_cast<char>(octet);
        i += 2;
    }
    return out;
}

std::optional<std::string> decode_b(std::string_view text) {
    while (text.ends_with('='))
        text.remove_suffix(1);
    return base64_decode(text);
}

// "=?charset*language?encoding?text?=" at the beginning of @p rest, which is moved behind it.
std::optional<std::string> take_encoded_word(std::string_view& rest) {
    if (!rest.starts_with("=?")) return std::nullopt;
    const auto first = rest.find('?', 2);
    if (first == rest.npos) return std::nullopt;
    const auto second = rest.find('?', first + 1);
    if (second != first + 2) return std::nullopt;
    const auto end = rest.find("?=", second + 1);
    if (end == rest.npos) return std::nullopt;
    const auto name = rest.substr(2, first - 2);
    const auto from = find_charset(name.substr(0, name.find('*')));
    if (!from) return std::nullopt;
    const auto text = rest.substr(second + 1, end - second - 1);
    const char coding = rest[first + 1];
    std::optional<std::string> bytes;
    if (coding == 'B' || coding == 'b') bytes = decode_b(text);
    if (coding == 'Q' || coding == 'q') bytes = decode_q(text);
    if (!bytes) return std::nullopt;
    rest.remove_prefix(end + 2);
    return to_utf8(*bytes, *from);
}

}  // namespace

std::optional<charset> find_charset(std::string_view name) noexcept {
    constexpr std::array<std::pair<std::string_view, charset>, 17> names{{
        {"utf-8", charset::utf8},
        {"utf8", charset::utf8},
        {"iso-8859-1", charset::windows_1252},
        {"iso8859-1", charset::windows_1252},
        {"iso_8859-1", charset::windows_1252},
        {"iso88591", charset::windows_1252},
        {"latin1", charset::windows_1252},
        {"latin-1", charset::windows_1252},
        {"l1", charset::windows_1252},
        {"windows-1252", charset::windows_1252},
        {"cp1252", charset::windows_1252},
        {"cp-1252", charset::windows_1252},
        {"x-cp1252", charset::windows_1252},
        {"us-ascii", charset::us_ascii},
        {"ascii", charset::us_ascii},
        {"ansi_x3.4-1968", charset::us_ascii},
        {"iso646-us", charset::us_ascii},
    }};
    for (const auto& [known, value] : names)
        if (equals_ignoring_case(name, known)) return value;
    return std::nullopt;
}

std::optional<std::string> to_utf8(std::string_view text, charset from) {
    switch (from) {
        case charset::utf8:
            if (!is_utf8(text)) return std::nullopt;
            return std::string(text);
        case charset::us_ascii:
            for (const char c : text)
                if (static_cast<unsigned char>(c) >= 0x80) return std::nullopt;
            return std::string(text);
        case charset::windows_1252:
            break;
    }
    return from_windows_1252(text);
}

std::string utf8_or_windows_1252(std::string text) {
    return is_utf8(text) ? text : from_windows_1252(text);
}

std::string decode_encoded_words(std::string_view text) {
    std::string out;
    std::string_view rest = trim(text);
    while (!rest.empty()) {
        const auto word = take_encoded_word(rest);
        if (!word) return std::string(text);
        out += *word;
        rest = trim(rest);  // white space between two words does not count
    }
    return out;
}

}  // namespace gallery::http
