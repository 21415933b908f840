#include "gallery/base64.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace gallery::service {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr auto values = [] {
    std::array<std::int8_t, 256> table{};
    table.fill(-1);
    for (std::size_t i = 0; i < alphabet.size(); ++i)
        table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
    return table;
}();

int value_of(char c) noexcept {
    return values[static_cast<unsigned char>(c)];
}

}  // namespace

result<void> base64_decoder::feed(std::string_view text, std::vector<char>& out) {
    std::size_t at = 0;
    while (at < text.size()) {
        // Whole groups first: four look-ups and one check for all of them.
        while (digits_ == 0 && padding_ == 0 && text.size() - at >= 4) {
            const int a = value_of(text[at]);
            const int b = value_of(text[at + 1]);
            const int c = value_of(text[at + 2]);
            const int d = value_of(text[at + 3]);
            if ((a | b | c | d) < 0) break;
            const std::array<char, 3> three{static_cast<char>(a << 2 | b >> 4),
                                            static_cast<char>(b << 4 | c >> 2),
                                            static_cast<char>(c << 6 | d)};
            out.insert(out.end(), three.begin(), three.end());
            at += 4;
        }
        if (at == text.size()) break;
        const char c = text[at++];
        if (c == '=' && digits_ >= 2 && digits_ + padding_ < 4) {
            if (++padding_ + digits_ < 4) continue;
            out.push_back(static_cast<char>(group_ >> (digits_ == 2 ? 4 : 10)));
            if (digits_ == 3) out.push_back(static_cast<char>(group_ >> 2));
            digits_ = 0;
            continue;
        }
        const int value = value_of(c);
        if (value < 0 || padding_ > 0)
            return error{
                errc::invalid_argument,
                "The field 'data' is not valid Base64. Export the image again and send the file as it is."};
        group_ = (group_ << 6 | static_cast<unsigned>(value)) & 0xFFFFFF;
        if (++digits_ == 4) {
            out.push_back(static_cast<char>(group_ >> 16));
            out.push_back(static_cast<char>(group_ >> 8));
            out.push_back(static_cast<char>(group_));
            digits_ = 0;
        }
    }
    return {};
}

result<void> base64_decoder::finish() const {
    if (digits_ == 0) return {};
    return error{
        errc::invalid_argument,
        "The Base64 in the field 'data' ends too early. Export the image again and send the whole file."};
}

void append_base64(std::span<const char> data, std::string& out) {
    // EVP_EncodeBlock takes an int and ends each block with NUL; blocks of a multiple of three join up.
    constexpr std::size_t block = 3 << 20;
    const auto start = out.size();
    const auto encoded = (data.size() + 2) / 3 * 4;
    out.resize(start + encoded + 1);
    auto* to = reinterpret_cast<unsigned char*>(out.data() + start);
    for (std::size_t at = 0; at < data.size(); at += block) {
        const auto length = std::min(block, data.size() - at);
        to += EVP_EncodeBlock(to, reinterpret_cast<const unsigned char*>(data.data() + at),
                              static_cast<int>(length));
    }
    out.resize(start + encoded);
}

}  // namespace gallery::service
