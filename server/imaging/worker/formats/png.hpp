// SPDX-License-Identifier: Apache-2.0
/// PNG files (W3C PNG, Third Edition): the structure, checked without inflating it, and the pixels.
///
/// Decoded here because the rows can then be counted: a file that lacks only its end is accepted, one that
/// lacks rows is not, and the refusal contains their number.
#pragma once

#include "imaging/worker/formats/refusal.hpp"
#include "imaging/worker/formats/rows.hpp"

#include <array>
#include <string_view>
#include <vector>

namespace gallery::imaging::worker {

struct png_layout {
    header head;
    unsigned depth = 0;  ///< bits a sample
    unsigned colour_type = 0;
    bool interlaced = false;
    std::array<std::array<std::uint8_t, 4>, 256> palette{};  ///< RGBA; opaque black beyond its end
    bool transparency = false;                   ///< tRNS: some palette entry, or the colour below
    std::array<std::uint16_t, 3> transparent{};  ///< one grey or RGB, at the file's depth
    std::vector<std::string_view> data;          ///< contents of the IDAT chunks
};

/// Signature, IHDR, order and check sums of the critical chunks, at least one IDAT. An animated PNG (acTL)
/// counts its frames. The file may end anywhere behind the beginning of its first IDAT: decode_png()
/// determines whether rows are missing.
checked<png_layout> read_png(std::string_view data);

/// What decode_png() hands on.
pixel_shape png_shape(const png_layout& layout) noexcept;

/// All rows. Refused where one is missing or damaged; a missing check sum at the end is not missed.
std::optional<refusal> decode_png(const png_layout& layout, const row_sink& sink);

}  // namespace gallery::imaging::worker
