// SPDX-License-Identifier: Apache-2.0
#include "images/base64.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace gallery::images {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view data_scheme = "data:";
constexpr std::size_t longest_prefix = 256;

constexpr auto values = [] {
    std::array<std::int8_t, 256> table{};
    table.fill(-1);
    for (std::size_t i = 0; i < alphabet.size(); ++i)
        table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
    table['-'] = 62;
    table['_'] = 63;
    return table;
}();

int value_of(char c) noexcept {
    return values[static_cast<unsigned char>(c)];
}

bool is_space(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) { return lower(c); });
    return out;
}

error wrong(std::string why) {
    return {errc::invalid_argument, "The field 'data' " + std::move(why)};
}

}  // namespace

// "data:" has a character that is none of Base64 in its fifth place, so that until then both are possible.
result<std::string_view> base64_decoder::skip_prefix(std::string_view text, std::vector<char>& out) {
    while (!text.empty()) {
        if (prefix_.empty() && is_space(text.front())) {
            text.remove_prefix(1);
            continue;
        }
        const char c = text.front();
        if (prefix_.size() < data_scheme.size() && lower(c) != data_scheme[prefix_.size()]) {
            prefix_ends_ = true;
            const auto held = std::move(prefix_);
            if (auto fed = decode(held, out); !fed) return fed.error();
            return text;
        }
        text.remove_prefix(1);
        if (c == ',') {
            prefix_ends_ = true;
            if (!lower(prefix_).ends_with(";base64"))
                return wrong("is a data: URL that is not in Base64. Send the picture in Base64.");
            return text;
        }
        prefix_ += c;
        if (prefix_.size() > longest_prefix)
            return wrong("begins with 'data:', and no comma follows. Send the picture in Base64.");
    }
    return text;
}

result<void> base64_decoder::feed(std::string_view text, std::vector<char>& out) {
    if (!prefix_ends_) {
        auto rest = skip_prefix(text, out);
        if (!rest) return rest.error();
        text = *rest;
    }
    return decode(text, out);
}

result<void> base64_decoder::decode(std::string_view text, std::vector<char>& out) {
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
        if (is_space(c)) continue;
        if (c == '=' && digits_ >= 2 && digits_ + padding_ < 4) {
            if (++padding_ + digits_ < 4) continue;
            end_group(out);
            continue;
        }
        const int value = value_of(c);
        if (value < 0 || padding_ > 0)
            return wrong("is not valid Base64. Export the image again and send the file as it is.");
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

void base64_decoder::end_group(std::vector<char>& out) {
    out.push_back(static_cast<char>(group_ >> (digits_ == 2 ? 4 : 10)));
    if (digits_ == 3) out.push_back(static_cast<char>(group_ >> 2));
    digits_ = 0;
}

result<void> base64_decoder::finish(std::vector<char>& out) {
    if (!prefix_ends_ && !prefix_.empty()) {
        if (prefix_.size() >= data_scheme.size())
            return wrong("begins with 'data:', and no comma follows. Send the picture in Base64.");
        prefix_ends_ = true;
        const auto held = std::move(prefix_);
        if (auto fed = decode(held, out); !fed) return fed;
    }
    if (digits_ == 0) return {};
    // Without padding the bits behind the last byte are 0; in a text that was cut off most often they are
    // not.
    const unsigned spare = digits_ == 2 ? 0xF : 0x3;
    if (digits_ == 1 || padding_ > 0 || (group_ & spare) != 0)
        return wrong("holds Base64 that ends too early. Export the image again and send the whole file.");
    end_group(out);
    return {};
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

}  // namespace gallery::images
