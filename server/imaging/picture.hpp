// SPDX-License-Identifier: Apache-2.0
/// The result of the inspection of an image.
#pragma once

#include "imaging/sniff.hpp"

#include <gallery/bytes.hpp>

#include <cstdint>
#include <string>

namespace gallery::imaging {

/// One PNG, or the original: a picture's preview.
struct picture {
    format kind = format::unknown;
    std::string media_type;    ///< of the original, for instance "image/png"
    std::uint32_t width = 0;   ///< pixels, after EXIF orientation; of an animation, one frame
    std::uint32_t height = 0;  ///< pixels; for an SVG in CSS pixels, rounded
    std::uint32_t frames = 1;

    /// The original is small enough to be its own preview: same bytes, same etag; `preview` is empty.
    bool preview_is_original = false;
    std::string preview_media_type;
    std::uint32_t preview_width = 0;
    std::uint32_t preview_height = 0;
    bytes preview;

    /// Of a compressed SVG: the drawing itself, which is to be stored instead. Empty for everything else.
    bytes document;

    /// The title in an SVG's <tb:metadata>, empty where there is none.
    std::string svg_title;
};

}  // namespace gallery::imaging
