// SPDX-License-Identifier: Apache-2.0
#include "images/picture_decoder.hpp"

#include <gallery/characters.hpp>

#include <utility>

namespace gallery::images {
namespace {

constexpr std::string_view data_scheme = "data:";
constexpr std::size_t longest_prefix = 256;

bool is_space(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

error wrong(std::string why) {
    return {errc::invalid_argument, "The field 'data' " + std::move(why)};
}

}  // namespace

// "data:" has a character that is none of Base64 in its fifth place, so that until then both are possible.
result<std::string_view> picture_decoder::skip_prefix(std::string_view text, std::vector<char>& out) {
    while (!text.empty()) {
        if (prefix_.empty() && is_space(text.front())) {
            text.remove_prefix(1);
            continue;
        }
        const char c = text.front();
        if (prefix_.size() < data_scheme.size() && ascii_lower(c) != data_scheme[prefix_.size()]) {
            prefix_ends_ = true;
            const auto held = std::move(prefix_);
            if (auto fed = decode(held, out); !fed) return fed.error();
            return text;
        }
        text.remove_prefix(1);
        if (c == ',') {
            prefix_ends_ = true;
            if (!ascii_lower(prefix_).ends_with(";base64"))
                return wrong("is a data: URL that is not in Base64. Send the picture in Base64.");
            return text;
        }
        prefix_ += c;
        if (prefix_.size() > longest_prefix)
            return wrong("begins with 'data:', and no comma follows. Send the picture in Base64.");
    }
    return text;
}

result<void> picture_decoder::feed(std::string_view text, std::vector<char>& out) {
    if (!prefix_ends_) {
        auto rest = skip_prefix(text, out);
        if (!rest) return rest.error();
        text = *rest;
    }
    return decode(text, out);
}

result<void> picture_decoder::decode(std::string_view text, std::vector<char>& out) {
    if (reader_.feed(text, out)) return {};
    return wrong("is not valid Base64. Export the image again and send the file as it is.");
}

result<void> picture_decoder::finish(std::vector<char>& out) {
    if (!prefix_ends_ && !prefix_.empty()) {
        if (prefix_.size() >= data_scheme.size())
            return wrong("begins with 'data:', and no comma follows. Send the picture in Base64.");
        prefix_ends_ = true;
        const auto held = std::move(prefix_);
        if (auto fed = decode(held, out); !fed) return fed;
    }
    if (reader_.finish(out)) return {};
    return wrong("holds Base64 that ends too early. Export the image again and send the whole file.");
}

}  // namespace gallery::images
