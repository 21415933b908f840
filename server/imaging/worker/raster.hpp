// SPDX-License-Identifier: Apache-2.0
/// Pixels through libvips. One thread at a time; vips_start() first.
#pragma once

#include "imaging/preview_rules.hpp"
#include "imaging/worker/formats/refusal.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace gallery::imaging::worker {

struct decoded {
    format kind = format::unknown;
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    std::uint32_t frames = 1;
    bool preview_is_original = false;
    extent preview_size;
    std::vector<char> preview;  ///< PNG; empty where the preview is the original
    std::string title;          ///< of an SVG
    std::string document;       ///< of a compressed SVG: what is inside
};

/// Loads libvips with the loaders of the formats we accept and no others. False with a message on stderr.
bool vips_start(const char* program);

/// @p kind is what sniff() found, not SVG. Decodes all of it: a picture that is damaged anywhere is refused.
checked<decoded> inspect_raster(format kind, std::string_view data, const limits& bounds);

}  // namespace gallery::imaging::worker
