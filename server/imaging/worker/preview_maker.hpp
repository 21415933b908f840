// SPDX-License-Identifier: Apache-2.0
/// Scales a picture's rows while they are decoded, and makes a PNG of the result.
#pragma once

#include "imaging/worker/formats/area_scaler.hpp"
#include "imaging/worker/formats/rows.hpp"
#include "imaging/worker/vips_image.hpp"

#include <optional>
#include <span>
#include <vector>

namespace gallery::imaging::worker {

/// The PNG is upright, in sRGB, and has exactly the requested size. Threads: one.
class preview_maker {
public:
    /// @p size is the visible size. @p original contains the orientation and the colour profile; null if the
    /// format has neither. It must outlive this.
    preview_maker(extent size, VipsImage* original);

    /// Call this before the first row.
    row_sink begin(const pixel_shape& from);

    /// Call this after the last row. False if libvips fails.
    bool finish(std::vector<char>& png);

private:
    VipsImage* original_;
    int orientation_ = 1;
    area_scaler::shape to_;
    pixel_shape shape_;
    std::optional<area_scaler> scaler_;
};

}  // namespace gallery::imaging::worker
