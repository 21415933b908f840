// SPDX-License-Identifier: Apache-2.0
/// Text functions that the server and every storage plugin must share.
#pragma once

#include <gallery/export.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace gallery {

/// Well-formed UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
GALLERY_API bool is_utf8(std::string_view text) noexcept;

/// Unicode full case folding (for instance "STRASSE" and "straße" fold alike), without normalisation. Titles
/// are searched in this form. Precondition: is_utf8(text).
GALLERY_API std::string fold_case(std::string_view text);

/// The key by which titles and names are sorted: keys compared bytewise have the order of the texts in the
/// root collation of Unicode (CLDR), in which "Ä" is between "A" and "B" and "a" is directly before "A".
/// Texts with equal keys, such as the two spellings of "Ä", are a tie. A key contains no NUL byte, is about
/// twice as long as its text, and can be empty. Keys are comparable only with keys of the same
/// collation_version(). Any thread. Precondition: is_utf8(text).
GALLERY_API std::string collation_key(std::string_view text);

/// Less than, equal to or greater than 0, as collation_key(@p a) is compared with collation_key(@p b). Takes
/// a tenth of the time of making both keys. Any thread. Precondition: is_utf8() of both.
GALLERY_API int compare_collated(std::string_view a, std::string_view b);

/// Identifies the rules of collation_key(), for instance "153.120.0.0". It changes with the version of ICU.
/// An engine that stores keys must store this text with them, and rebuild them if it differs.
GALLERY_API std::string collation_version();

/// A boolean in the forms of clients, in any case: true, yes, on, 1; false, no, off, 0. Otherwise empty.
GALLERY_API std::optional<bool> parse_boolean(std::string_view text) noexcept;

}  // namespace gallery
