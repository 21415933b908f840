/// Text rules that the server and every storage plugin must agree on.
#pragma once

#include <gallery/export.hpp>

#include <string>
#include <string_view>

namespace gallery {

/// Well-formed UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
GALLERY_API bool is_utf8(std::string_view text) noexcept;

/// Unicode full case folding (for instance "STRASSE" and "straße" fold alike), without normalisation. The
/// key by which titles are sorted and searched. Precondition: is_utf8(text).
GALLERY_API std::string fold_case(std::string_view text);

}  // namespace gallery
