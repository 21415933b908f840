/// The block structure of a GIF file (GIF89a specification), walked without decompressing it.
#pragma once

#include "imaging/worker/formats/refusal.hpp"

#include <string_view>

namespace gallery::imaging::worker {

/// Size of the canvas and number of frames. A file that ends inside a block is damaged; a missing trailer
/// alone is not, browsers and cameras live with it.
checked<header> check_gif(std::string_view data);

}  // namespace gallery::imaging::worker
