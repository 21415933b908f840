// SPDX-License-Identifier: Apache-2.0
#include "http/percent.hpp"

#include <gallery/characters.hpp>
#include <gallery/encode.hpp>

#include <algorithm>
#include <cstddef>

namespace gallery::http {

namespace {

bool decode(std::string_view text, std::string& out, bool plus_is_space) {
    out.clear();
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '%') {
            if (text.size() - i < 3) return false;
            const int octet = hex_octet(text[i + 1], text[i + 2]);
            if (octet < 0) return false;
            c = static_cast<char>(octet);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        out += c;
    }
    return true;
}

void append_encoded(std::string& out, char c) {
    out += '%';
    append_hex(out, static_cast<std::uint8_t>(c), upper_hex_digits);
}

std::string encode(std::string_view text, std::string_view kept) {
    std::string out;
    out.reserve(text.size() + 16);
    for (const char c : text) {
        if (is_ascii_alphanumeric(c) || kept.find(c) != kept.npos) {
            out += c;
        } else {
            append_encoded(out, c);
        }
    }
    return out;
}

}  // namespace

bool percent_decode(std::string_view text, std::string& out) {
    return decode(text, out, false);
}

bool form_decode(std::string_view text, std::string& out) {
    return decode(text, out, true);
}

std::string percent_encode(std::string_view text) {
    return encode(text, "-._~");
}

std::string header_text(std::string_view text) {
    const auto first = std::min(text.find_first_not_of(' '), text.size());
    const auto last = text.find_last_not_of(' ');
    std::string out;
    out.reserve(text.size() + 16);
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto octet = static_cast<unsigned char>(text[i]);
        const bool at_an_end = i < first || i > last;
        if (octet >= 0x20 && octet < 0x7F && !at_an_end) {
            out += text[i];
        } else {
            append_encoded(out, text[i]);
        }
    }
    return out;
}

std::string ext_value_encode(std::string_view text) {
    return encode(text, "!#$&+-.^_`|~");
}

}  // namespace gallery::http
