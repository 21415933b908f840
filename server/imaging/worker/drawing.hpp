// SPDX-License-Identifier: Apache-2.0
/// What has to be known of an SVG document, and changed in it, before librsvg draws it. Pure functions over
/// untrusted text, linear in its length.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace gallery::imaging::worker {

/// The root element is in SVG's namespace, which no browser draws it without. Prefixes, entities of the
/// internal subset and its attribute defaults are understood.
bool in_svg_namespace(std::string_view document);

/// The root element states its font size, so that the initial value of CSS does not count.
bool has_font_size(std::string_view document);

/// Something that browsers draw and librsvg does not: HTML, text on a path, fonts of its own, variables.
bool beyond_librsvg(std::string_view document);

/// "data:image/webp;base64,..." as bytes. Percent-encoded or base64, blanks between the digits are ignored.
struct data_url {
    std::string media_type;  ///< lower case, without parameters; may be empty
    bool base64 = false;
    std::string content;
};
std::optional<data_url> parse_data_url(std::string_view url);
std::string to_data_url(std::string_view png);

/// Gives every embedded picture to @p replacement, which returns what to put in its place (PNG), or nothing
/// where it stays as it is. Returns the document, changed or not.
std::string replace_pictures(std::string_view document,
                             const std::function<std::optional<std::string>(const data_url&)>& replacement);

}  // namespace gallery::imaging::worker
