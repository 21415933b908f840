/// The structure of a PNG file (W3C PNG, Third Edition, sections 5 and 11), checked without inflating it.
#pragma once

#include "imaging/worker/formats/refusal.hpp"

#include <string_view>

namespace gallery::imaging::worker {

/// Signature, IHDR, order and check sums of the critical chunks, at least one IDAT, IEND. An animated PNG
/// (acTL) counts its frames.
checked<header> check_png(std::string_view data);

}  // namespace gallery::imaging::worker
