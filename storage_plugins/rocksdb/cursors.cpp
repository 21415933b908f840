// SPDX-License-Identifier: Apache-2.0
#include "cursors.hpp"

#include "codec.hpp"

#include <gallery/encode.hpp>

namespace gallery::rocks {

std::string make_cursor(std::string_view scan, std::string_view key) {
    return hex_encode(key) + hex_encode(encode_number(crc32c(scan, key)).substr(0, 4));
}

std::optional<std::string> parse_cursor(std::string_view scan, std::string_view text) {
    const auto bytes = hex_decode(text);
    if (!bytes || bytes->size() <= 4) return std::nullopt;
    std::string key = bytes->substr(0, bytes->size() - 4);
    if (make_cursor(scan, key) != text) return std::nullopt;
    return key;
}

}  // namespace gallery::rocks
