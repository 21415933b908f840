// SPDX-License-Identifier: Apache-2.0
#include "imaging/preview_rules.hpp"

#include <algorithm>
#include <cmath>

namespace gallery::imaging {
namespace {

std::uint32_t whole(double value, std::uint32_t side) noexcept {
    return static_cast<std::uint32_t>(std::clamp(std::round(value), 1.0, static_cast<double>(side)));
}

}  // namespace

extent scale_drawing(double width, double height, std::uint32_t side) noexcept {
    const double longer = std::max(width, height);
    return {whole(width / longer * side, side), whole(height / longer * side, side)};
}

extent fit(extent picture, std::uint32_t side) noexcept {
    if (picture.width <= side && picture.height <= side) return picture;
    return scale_drawing(picture.width, picture.height, side);
}

}  // namespace gallery::imaging
