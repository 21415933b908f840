// SPDX-License-Identifier: Apache-2.0
/// Passes pixels from a decoder to the preview: one row after the other, so that a decoder need not keep the
/// whole image in memory.
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
