// SPDX-License-Identifier: Apache-2.0
/// GIF files (GIF89a specification): the block structure, and the pixels of the first frame.
///
/// Written here because the logical screen decides about a picture's size (section 18), whatever its frames
/// claim; libnsgif distrusts some screens and enlarges others.
#pragma once

#include "imaging/worker/formats/refusal.hpp"
#include "imaging/worker/formats/rows.hpp"

#include <array>
#include <cstddef>
#include <string_view>

namespace gallery::imaging::worker {

struct gif_layout {
    header head;  ///< the size is the logical screen's; where that has none, the first frame's
    // The first frame.
    std::uint32_t left = 0;
    std::uint32_t top = 0;
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    bool interlaced = false;
    int transparent = -1;                                    ///< colour index, -1: none
    std::array<std::array<std::uint8_t, 4>, 256> colours{};  ///< RGBA; transparent beyond the colour table
    std::size_t data = 0;                                    ///< offset of the frame's minimum code size
};

/// Walks all blocks without decompressing any. A file that ends inside a block is damaged; a missing trailer
/// alone is not, browsers and cameras live with it.
checked<gif_layout> read_gif(std::string_view data);

/// The logical screen with the first frame drawn on it, as RGBA; transparent where the frame draws nothing.
/// Parts of the frame outside the screen are left out. Refused where a visible row of the frame is missing.
std::optional<refusal> decode_gif(std::string_view data, const gif_layout& layout, const row_sink& sink);

}  // namespace gallery::imaging::worker
