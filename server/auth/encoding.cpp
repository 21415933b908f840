// SPDX-License-Identifier: Apache-2.0
#include "auth/encoding.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <array>
#include <cstdint>
#include <cstdlib>

namespace gallery::auth {
namespace {

constexpr std::string_view standard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_safe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

using table = std::array<std::int8_t, 256>;

constexpr table invert(std::string_view alphabet) {
    table values{};
    values.fill(-1);
    for (std::size_t i = 0; i < alphabet.size(); ++i) {
        values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
    }
    return values;
}

constexpr table standard_values = invert(standard);
constexpr table url_safe_values = invert(url_safe);

std::string encode(std::string_view data, std::string_view alphabet, bool pad) {
    std::string text;
    text.reserve((data.size() + 2) / 3 * 4);
    std::uint32_t bits = 0;
    int held = 0;
    for (const char c : data) {
        bits = bits << 8 | static_cast<unsigned char>(c);
        held += 8;
        while (held >= 6) {
            held -= 6;
            text += alphabet[bits >> held & 63];
        }
    }
    if (held > 0) text += alphabet[bits << (6 - held) & 63];
    while (pad && text.size() % 4 != 0)
        text += '=';
    return text;
}

std::optional<std::string> decode(std::string_view text, const table& values) {
    if (text.size() % 4 == 1) return std::nullopt;
    std::string data;
    data.reserve(text.size() * 3 / 4);
    std::uint32_t bits = 0;
    int held = 0;
    for (const char c : text) {
        const auto value = values[static_cast<unsigned char>(c)];
        if (value < 0) return std::nullopt;
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        held += 6;
        if (held >= 8) {
            held -= 8;
            data += static_cast<char>(bits >> held & 255);
        }
    }
    // Bits that stand for nothing must be zero, or one token could be written in several ways.
    if ((bits & ((1U << held) - 1)) != 0) return std::nullopt;
    return data;
}

}  // namespace

std::string base64url_encode(std::string_view data) {
    return encode(data, url_safe, false);
}

std::optional<std::string> base64url_decode(std::string_view text) {
    return decode(text, url_safe_values);
}

std::string base64_encode(std::string_view data) {
    return encode(data, standard, true);
}

std::optional<std::string> base64_decode(std::string_view text) {
    if (text.size() % 4 == 0) {
        if (text.ends_with('=')) text.remove_suffix(1);
        if (text.ends_with('=')) text.remove_suffix(1);
    }
    return decode(text, standard_values);
}

void fill_random(std::span<char> out) {
    if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size())) != 1)
        std::abort();
}

std::string random_alphanumerics(std::size_t count) {
    static constexpr std::string_view alphabet =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    std::string text;
    text.reserve(count);
    std::array<char, 64> drawn{};
    while (text.size() < count) {
        fill_random(drawn);
        for (const char c : drawn) {
            // 248 is the largest multiple of 62 that a byte holds; what lies above would favour some letters.
            const auto value = static_cast<unsigned char>(c);
            if (value < 248 && text.size() < count) text += alphabet[value % 62];
        }
    }
    OPENSSL_cleanse(drawn.data(), drawn.size());
    return text;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace gallery::auth
