// SPDX-License-Identifier: Apache-2.0
/// Decodes texts in the character encodings of forms. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gallery::http {

enum class charset : std::uint8_t { utf8, windows_1252, us_ascii };

/// By one of its names, in any case. ISO-8859-1 is read as windows-1252, as browsers do: it differs only in
/// the C1 control characters, which no text contains. Empty where it is none of these.
std::optional<charset> find_charset(std::string_view name) noexcept;

/// Empty where @p text has bytes that do not belong to @p from. The five bytes that windows-1252 does not
/// define become C1 control characters.
std::optional<std::string> to_utf8(std::string_view text, charset from);

/// UTF-8 as it is, everything else as windows-1252, the usual charset of programs that state none.
std::string utf8_or_windows_1252(std::string text);

/// Encoded words of RFC 2047 ("=?UTF-8?B?w7w=?="), in which some programs send file names. A text with words
/// that are malformed or in an unknown charset is returned as it is.
std::string decode_encoded_words(std::string_view text);

}  // namespace gallery::http
