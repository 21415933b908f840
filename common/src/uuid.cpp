// SPDX-License-Identifier: Apache-2.0
#include <gallery/uuid.hpp>

#include <gallery/encode.hpp>

#include <boost/uuid/random_generator.hpp>

namespace gallery {

uuid random_uuid() {
    thread_local boost::uuids::random_generator generate;
    return generate();
}

std::optional<uuid> parse_uuid(std::string_view text) noexcept {
    if (text.size() != 36) return std::nullopt;
    uuid value{};
    std::size_t at = 0;
    for (auto& byte : value) {
        if (at == 8 || at == 13 || at == 18 || at == 23) {
            if (text[at] != '-') return std::nullopt;
            ++at;
        }
        const int octet = hex_octet(text[at], text[at + 1]);
        if (octet < 0) return std::nullopt;
        byte = static_cast<std::uint8_t>(octet);
        at += 2;
    }
    return value;
}

std::string to_string(const uuid& value) {
    std::string text;
    text.reserve(36);
    for (const auto byte : value) {
        if (text.size() == 8 || text.size() == 13 || text.size() == 18 || text.size() == 23) text += '-';
        append_hex(text, byte);
    }
    return text;
}

}  // namespace gallery
