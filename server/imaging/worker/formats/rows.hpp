// SPDX-License-Identifier: Apache-2.0
/// Pixels on their way from a decoder to whoever makes a preview of them: one row after the other, so that no
/// decoder has to hold a whole picture that does not need to.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

namespace gallery::imaging::worker {

/// Samples of 8 bits, interleaved: grey, grey and opacity, RGB, RGBA, or CMYK.
struct pixel_shape {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    unsigned bands = 0;  ///< 1 to 4
    bool alpha = false;  ///< the last band is opacity
    bool cmyk = false;   ///< 4 bands of ink, 255 is full ink
};

/// Takes width * bands samples, rows from the top. The samples are valid during the call only.
using row_sink = std::function<void(std::span<const std::uint8_t>)>;

}  // namespace gallery::imaging::worker
