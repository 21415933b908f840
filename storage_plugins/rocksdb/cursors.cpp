// SPDX-License-Identifier: Apache-2.0
#include "cursors.hpp"

#include "codec.hpp"

#include <charconv>

namespace gallery::rocks {

std::string make_cursor(std::string_view scan, std::string_view key) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    const auto append = [&text](std::string_view bytes) {
        for (const char c : bytes) {
            text.push_back(digits[static_cast<unsigned char>(c) >> 4]);
            text.push_back(digits[static_cast<unsigned char>(c) & 15]);
        }
    };
    append(key);
    append(encode_number(crc32c(scan, key)).substr(0, 4));
    return text;
}

std::optional<std::string> parse_cursor(std::string_view scan, std::string_view text) {
    std::string bytes;
    if (text.size() % 2 != 0) return std::nullopt;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        unsigned value = 0;
        const auto [end, failure] = std::from_chars(text.data() + i, text.data() + i + 2, value, 16);
        if (failure != std::errc{} || end != text.data() + i + 2) return std::nullopt;
        bytes.push_back(static_cast<char>(value));
    }
    if (bytes.size() <= 4) return std::nullopt;
    std::string key = bytes.substr(0, bytes.size() - 4);
    if (make_cursor(scan, key) != text) return std::nullopt;
    return key;
}

}  // namespace gallery::rocks
