// SPDX-License-Identifier: Apache-2.0
/// Just enough XML to find an element without trusting a document: no entities, no tree, no recursion.
///
/// Pure functions, linear in the input, safe on any bytes. They read markup as XML 1.0 delimits it
/// (comments, CDATA, processing instructions, document type, tags with quoted attributes) and do not care
/// whether the rest is well-formed; librsvg decides that.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace gallery::imaging::xml {

/// A byte order mark of UTF-16, or markup that begins in it ("<" beside a zero byte).
bool is_utf16(std::string_view data) noexcept;

/// Converts from the byte order that is_utf16() saw; the mark is dropped, lone surrogates become U+FFFD.
std::string utf8_from_utf16(std::string_view data);

struct token {
    enum class type { end, text, cdata, comment, instruction, doctype, open, close };
    type kind = type::end;
    std::string_view name;       ///< of the element, for open and close
    std::string_view content;    ///< of text, cdata and doctype
    bool empty_element = false;  ///< open: "<x/>"
    std::size_t begin = 0;       ///< offset of the token's first byte
    std::size_t end = 0;         ///< offset behind its last
};

/// Reads one token after the other. Markup that does not end is one token up to the end of the input.
class tokens {
public:
    explicit tokens(std::string_view document) noexcept : document_(document) {}
    token next() noexcept;

private:
    token tag(std::size_t begin) noexcept;
    token doctype(std::size_t begin) noexcept;
    std::size_t behind(std::string_view what, std::size_t from) const noexcept;

    std::string_view document_;
    std::size_t position_ = 0;
};

struct attribute {
    std::string_view name;   ///< qualified
    std::string_view value;  ///< as written, between its quotes
};

/// Reads one attribute of an open tag after the other; @p tag is all of it, "<x a='1'>".
class attributes {
public:
    explicit attributes(std::string_view tag) noexcept;
    std::optional<attribute> next() noexcept;

private:
    std::string_view rest_;
};

struct root_element {
    std::string_view name;      ///< qualified name, empty where there is none
    bool html_doctype = false;  ///< "<!DOCTYPE html": not XML of ours
};

/// The first element of a UTF-8 document, behind declaration, comments and document type.
root_element find_root(std::string_view document) noexcept;

/// Text content with the five predefined entities and character references replaced; unknown ones stay.
std::string unescape(std::string_view text);

}  // namespace gallery::imaging::xml
