// SPDX-License-Identifier: Apache-2.0
/// Drawings that are compressed as a whole (SVGZ), which browsers show only with the header Content-Encoding.
#pragma once

#include "imaging/worker/raster.hpp"

namespace gallery::imaging::worker {

/// inspect_svg() of what is inside; `document` then holds that. Refused where it is larger than an SVG may
/// be, cut off, or no SVG. Precondition: is_gzip().
checked<decoded> inspect_svgz(std::string_view data, const limits& bounds);

}  // namespace gallery::imaging::worker
