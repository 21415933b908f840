// SPDX-License-Identifier: Apache-2.0
/// Drawings that arrive compressed as a whole (SVGZ) are stored decompressed, under another file name. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace gallery::images {

/// "pump.svgz" and "pump.svg.gz" as "pump.svg". Other names stay.
std::string decompressed_name(std::string name);

/// The SVG that is stored instead of @p file. Empty for every other file, which is stored as it is, and for
/// those that an upload refuses: damaged ones, and those with more than @p most bytes of SVG.
std::optional<std::string> decompressed_drawing(std::string_view file, std::size_t most);

}  // namespace gallery::images
