// SPDX-License-Identifier: Apache-2.0
/// The metadata of ThingsBoard's SCADA symbols: an element <tb:metadata> with a text, often a CDATA section,
/// that is a JSON object with a "title".
///
/// Pure functions, linear in the input, without recursion, safe on any bytes and from any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace gallery::imaging {

struct svg_metadata {
    bool present = false;  ///< a <tb:metadata> element exists
    /// The JSON's "title", blanks trimmed, not empty, no control characters. In the document's own encoding,
    /// so callers that show it must check that it is UTF-8.
    std::optional<std::string> title;
    /// Bytes of the document without the element, which decides about its preview.
    std::size_t size_without = 0;
};

/// @p document is an SVG in UTF-8, any superset of ASCII, or UTF-16. Only the first element counts.
svg_metadata read_svg_metadata(std::string_view document);

/// The string member "title" of a JSON object, decoded; nothing where there is none. The rest of the
/// object is skipped, not checked.
std::optional<std::string> json_title(std::string_view json);

}  // namespace gallery::imaging
