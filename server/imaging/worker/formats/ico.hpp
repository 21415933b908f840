// SPDX-License-Identifier: Apache-2.0
/// The directory of a Windows icon file.
#pragma once

#include "imaging/worker/formats/refusal.hpp"

#include <string_view>

namespace gallery::imaging::worker {

struct icon_entry {
    std::string_view data;  ///< within the file: a PNG, or a bitmap without file header
    bool is_png = false;
    header size;
};

/// The entry with the most pixels; among equals the one with more bits a pixel, then the first. Every entry
/// must lie within the file.
checked<icon_entry> largest_icon_entry(std::string_view file);

}  // namespace gallery::imaging::worker
