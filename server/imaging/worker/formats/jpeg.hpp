// SPDX-License-Identifier: Apache-2.0
/// The pixels of JPEG files, through libjpeg itself, which reports the rows that are missing in the file.
/// libvips does not use that report.
#pragma once

#include "imaging/worker/formats/refusal.hpp"
#include "imaging/worker/formats/rows.hpp"

#include <string_view>

namespace gallery::imaging::worker {

/// All rows at 1 / @p shrink of their size (1, 2, 4 or 8), rounded up; @p begin is told their shape first.
/// The entropy-coded data is read wholly at any scale. Refused where rows are missing; a file that lacks only
/// its end marker is not.
std::optional<refusal> decode_jpeg(std::string_view data, unsigned shrink,
                                   const std::function<row_sink(const pixel_shape&)>& begin);

}  // namespace gallery::imaging::worker
