// SPDX-License-Identifier: Apache-2.0
#include "images/json_text.hpp"

#include <gallery/characters.hpp>

#include <utility>

namespace gallery::images {
namespace {

constexpr std::string_view utf8_mark = "\xEF\xBB\xBF";
constexpr std::string_view little_mark = "\xFF\xFE";
constexpr std::string_view big_mark = "\xFE\xFF";

error broken() {
    return {errc::invalid_argument,
            "The JSON starts with the byte order mark of UTF-16 and is not valid UTF-16. Send it in UTF-8."};
}

}  // namespace

result<std::string_view> json_text_decoder::decode(std::string_view piece) {
    if (form_ == form::utf8) return piece;
    if (form_ != form::unknown) return decode_utf16(piece);
    held_ += piece;
    const auto may_be = [this](std::string_view mark) {
        return held_.size() < mark.size() && mark.starts_with(held_);
    };
    if (may_be(utf8_mark) || may_be(little_mark) || may_be(big_mark)) return std::string_view();
    const auto seen = std::exchange(held_, {});
    if (seen.starts_with(little_mark) || seen.starts_with(big_mark)) {
        form_ = seen.starts_with(little_mark) ? form::utf16_little : form::utf16_big;
        return decode_utf16(std::string_view(seen).substr(little_mark.size()));
    }
    form_ = form::utf8;
    out_ = seen.starts_with(utf8_mark) ? seen.substr(utf8_mark.size()) : seen;
    return std::string_view(out_);
}

result<std::string_view> json_text_decoder::decode_utf16(std::string_view piece) {
    out_.clear();
    for (const char c : piece) {
        held_ += c;
        if (held_.size() < 2) continue;
        const auto first = static_cast<unsigned char>(held_[0]);
        const auto second = static_cast<unsigned char>(held_[1]);
        held_.clear();
        const std::uint32_t unit = form_ == form::utf16_little ? second << 8U | first : first << 8U | second;
        const bool is_trail = (unit & 0xFC00) == 0xDC00;
        if (is_trail != (lead_ != 0)) return broken();
        if ((unit & 0xFC00) == 0xD800) {
            lead_ = unit;
        } else if (is_trail) {
            append_utf8(out_, 0x10000 + ((lead_ & 0x3FF) << 10 | (unit & 0x3FF)));
            lead_ = 0;
        } else {
            append_utf8(out_, unit);
        }
    }
    return std::string_view(out_);
}

result<std::string_view> json_text_decoder::finish() {
    if (form_ == form::unknown) {  // shorter than a mark
        out_ = std::exchange(held_, {});
        return std::string_view(out_);
    }
    if (!held_.empty() || lead_ != 0) return broken();
    return std::string_view();
}

namespace {

/// Calls @p take with each piece of UTF-8.
template <class Take>
result<void> decode_in_pieces(std::string_view text, Take take) {
    constexpr std::size_t piece = 64 * 1024;
    json_text_decoder decoder;
    for (std::size_t at = 0; at < text.size(); at += piece) {
        const auto decoded = decoder.decode(text.substr(at, piece));
        if (!decoded) return decoded.error();
        take(*decoded);
    }
    const auto last = decoder.finish();
    if (!last) return last.error();
    take(*last);
    return {};
}

}  // namespace

result<std::string> decode_json_text(std::string text) {
    if (text.starts_with(utf8_mark)) {
        text.erase(0, utf8_mark.size());
        return text;
    }
    if (!text.starts_with(little_mark) && !text.starts_with(big_mark)) return text;
    // Decoded twice, so that no larger memory is taken than for the result.
    std::size_t size = 0;
    auto valid = decode_in_pieces(text, [&size](std::string_view piece) { size += piece.size(); });
    if (!valid) return valid.error();
    std::string out;
    out.reserve(size);
    (void)decode_in_pieces(text, [&out](std::string_view piece) { out += piece; });
    return out;
}

}  // namespace gallery::images
