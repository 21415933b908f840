// SPDX-License-Identifier: Apache-2.0
/// Drawings through librsvg. One thread at a time; svg_start() first.
#pragma once

#include "imaging/worker/raster.hpp"

namespace gallery::imaging::worker {

/// Loads everything that rendering may need later, when no file can be opened any more.
void svg_start();

/// References to other documents are not followed: there is no base to resolve them against, and only
/// `data:` is left.
checked<decoded> inspect_svg(std::string_view data, const limits& bounds);

}  // namespace gallery::imaging::worker
