// SPDX-License-Identifier: Apache-2.0
#include <gallery/text.hpp>

#include <gallery/characters.hpp>

#include <unicode/ucasemap.h>
#include <unicode/ustring.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace gallery {

namespace {

template <class Word>
Word word_at(const char* from) noexcept {
    Word word;
    std::memcpy(&word, from, sizeof word);
    return word;
}

// By words; the last one overlaps the one before where the length is no multiple.
bool is_ascii(std::string_view text) noexcept {
    const char* const data = text.data();
    const auto size = text.size();
    std::uint64_t seen = 0;
    if (size >= 8) {
        for (std::size_t at = 0; at + 8 < size; at += 8)
            seen |= word_at<std::uint64_t>(data + at);
        seen |= word_at<std::uint64_t>(data + size - 8);
    } else if (size >= 4) {
        seen = word_at<std::uint32_t>(data) | word_at<std::uint32_t>(data + size - 4);
    } else {
        for (const char c : text)
            seen |= static_cast<unsigned char>(c);
    }
    return (seen & 0x8080808080808080ULL) == 0;
}

}  // namespace

bool is_utf8(std::string_view text) noexcept {
    if (is_ascii(text)) return true;
    const auto* at = reinterpret_cast<const unsigned char*>(text.data());
    const auto* const end = at + text.size();
    const auto follows = [](unsigned char c) { return (c & 0xC0) == 0x80; };
    while (at < end) {
        const unsigned char c = *at;
        if (c < 0x80) {
            ++at;
        } else if (c >= 0xC2 && c <= 0xDF) {
            if (end - at < 2 || !follows(at[1])) return false;
            at += 2;
        } else if (c >= 0xE0 && c <= 0xEF) {
            if (end - at < 3 || !follows(at[1]) || !follows(at[2])) return false;
            if ((c == 0xE0 && at[1] < 0xA0) || (c == 0xED && at[1] > 0x9F)) return false;
            at += 3;
        } else if (c >= 0xF0 && c <= 0xF4) {
            if (end - at < 4 || !follows(at[1]) || !follows(at[2]) || !follows(at[3])) return false;
            if ((c == 0xF0 && at[1] < 0x90) || (c == 0xF4 && at[1] > 0x8F)) return false;
            at += 4;
        } else {
            return false;
        }
    }
    return true;
}

std::string fold_case(std::string_view text) {
    const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
    std::string folded;
    if (std::all_of(text.begin(), text.end(), is_ascii)) {
        folded.resize(text.size());
        std::transform(text.begin(), text.end(), folded.begin(), [](char c) { return ascii_lower(c); });
        return folded;
    }
    static const UCaseMap* const map = [] {
        UErrorCode status = U_ZERO_ERROR;
        const auto* opened = ucasemap_open("", U_FOLD_CASE_DEFAULT, &status);
        if (U_FAILURE(status)) std::abort();
        return opened;
    }();
    folded.resize(text.size() * 3);
    for (;;) {
        UErrorCode status = U_ZERO_ERROR;
        const auto length =
            ucasemap_utf8FoldCase(map, folded.data(), static_cast<std::int32_t>(folded.size()), text.data(),
                                  static_cast<std::int32_t>(text.size()), &status);
        folded.resize(static_cast<std::size_t>(std::max(length, 0)));
        if (status != U_BUFFER_OVERFLOW_ERROR) break;
    }
    return folded;
}

std::optional<bool> parse_boolean(std::string_view text) noexcept {
    const auto is = [text](std::string_view word) { return equals_ignoring_case(text, word); };
    if (is("true") || is("1") || is("yes") || is("on")) return true;
    if (is("false") || is("0") || is("no") || is("off")) return false;
    return std::nullopt;
}

}  // namespace gallery
