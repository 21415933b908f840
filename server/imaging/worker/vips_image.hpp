// SPDX-License-Identifier: Apache-2.0
/// The parts of libvips that the worker uses: opening an image, reading its rows, its messages. Threads: one.
#pragma once

#include "imaging/worker/raster.hpp"

#include <vips/vips.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace gallery::imaging::worker {

struct vips_unref {
    void operator()(void* object) const noexcept { g_object_unref(object); }
};
using image_ptr = std::unique_ptr<VipsImage, vips_unref>;

/// Damage of the file, with libvips' message about its last failure.
refusal undecodable(format kind);

/// Reads the header; pixels are decoded on demand, from top to bottom. A WebP is decoded at @p scale. Null if
/// libvips does not accept the file.
image_ptr open_image(format kind, std::string_view data, double scale = 1);

/// Converts to eight bits per channel; grey, RGB or CMYK; with or without opacity. Computed while rows are
/// read.
bool to_bytes(image_ptr& image);

/// Takes over the result of one operation of a chain. @p made is a reference because it is set while the
/// other argument is evaluated.
inline bool step(image_ptr& image, int failed, VipsImage*& made) {
    image.reset(std::exchange(made, nullptr));
    return failed == 0;
}

/// Computes all rows from top to bottom and passes each to @p sink, in the calling thread. False if one
/// cannot be computed.
template <class Sink>
bool for_each_row(VipsImage* image, Sink sink) {
    const std::unique_ptr<VipsRegion, vips_unref> region(vips_region_new(image));
    constexpr int strip = 32;
    for (int top = 0; top < image->Ysize; top += strip) {
        const VipsRect area{0, top, image->Xsize, std::min(strip, image->Ysize - top)};
        if (vips_region_prepare(region.get(), &area) != 0) return false;
        for (int y = top; y < top + area.height; ++y) {
            sink(std::span<const std::uint8_t>(VIPS_REGION_ADDR(region.get(), 0, y),
                                               VIPS_REGION_SIZEOF_LINE(region.get())));
        }
    }
    return true;
}

}  // namespace gallery::imaging::worker
