// SPDX-License-Identifier: Apache-2.0
/// Windows bitmaps: BMP files and the entries of ICO files ([MS-WMF] 2.2.2, BITMAPINFOHEADER and kin).
/// Decoded here because libvips itself has no loader for them.
#pragma once

#include "imaging/worker/formats/refusal.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace gallery::imaging::worker {

struct rgba_image {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    bool alpha = false;                ///< some pixel is not opaque
    std::vector<std::uint8_t> pixels;  ///< width * height * 4, rows from the top
};

/// Where the parts of a bitmap are; read from the header, no pixel touched.
struct dib_layout {
    format owner = format::bmp;
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    bool top_down = false;
    std::uint32_t bits = 0;                 ///< per pixel: 1, 2, 4, 8, 16, 24, 32
    std::uint32_t compression = 0;          ///< 0 none, 1 RLE8, 2 RLE4, 3 bit fields
    std::uint32_t masks[4] = {0, 0, 0, 0};  ///< red, green, blue, alpha
    std::size_t palette = 0;                ///< offset
    std::uint32_t palette_entries = 0;
    std::uint32_t palette_entry_size = 4;
    std::size_t pixels = 0;  ///< offset
};

checked<dib_layout> read_bmp_layout(std::string_view file);
/// @p entry begins with the BITMAPINFOHEADER, whose height counts the transparency mask, too.
checked<dib_layout> read_icon_layout(std::string_view entry);

/// Precondition: the layout is that of @p data, and its size is within the limits.
checked<rgba_image> decode_dib(std::string_view data, const dib_layout& layout);

}  // namespace gallery::imaging::worker
