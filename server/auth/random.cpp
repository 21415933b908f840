// SPDX-License-Identifier: Apache-2.0
#include "auth/random.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <array>
#include <cstdlib>

namespace gallery::auth {
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
