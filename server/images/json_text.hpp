// SPDX-License-Identifier: Apache-2.0
/// JSON documents in UTF-8, with or without a byte order mark, or in UTF-16 with one.
#pragma once

#include <gallery/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace gallery::images {

/// Makes UTF-8 without a byte order mark of a text that arrives in pieces. UTF-8 is passed on unchecked,
/// since the JSON parser checks it. Not thread-safe; used once.
class json_text_decoder {
public:
    /// The text of @p piece, valid until the next call or as long as the piece; what cannot be decided or
    /// decoded yet comes with a later one. Error: invalid_argument for a lone surrogate.
    result<std::string_view> decode(std::string_view piece);
    /// What is left at the end. Error: invalid_argument where the text ended inside a character.
    result<std::string_view> finish();

private:
    enum class form : std::uint8_t { unknown, utf8, utf16_little, utf16_big };

    result<std::string_view> decode_utf16(std::string_view piece);

    form form_ = form::unknown;
    std::string held_;        // bytes of a mark or of a code unit that is not complete
    std::uint32_t lead_ = 0;  // a surrogate that waits for its second half
    std::string out_;
};

/// A whole document at once. UTF-8 is not copied; UTF-16 takes up to one and a half times the memory of @p
/// text beside it. Errors: as above.
result<std::string> decode_json_text(std::string text);

}  // namespace gallery::images
