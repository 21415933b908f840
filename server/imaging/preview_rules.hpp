// SPDX-License-Identifier: Apache-2.0
/// How large a preview is, and when a picture is its own preview. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gallery::imaging {

/// The side of the square that previews are fitted into, in pixels.
inline constexpr std::uint32_t preview_side = 250;
/// The same for SVG documents above large_svg.
inline constexpr std::uint32_t large_svg_side = 512;

/// Sizes of SVG documents in bytes, without their <tb:metadata>: below the first the document is its own
/// preview, above the second its preview is the larger one.
inline constexpr std::size_t small_svg = 10240;
inline constexpr std::size_t large_svg = 102400;

struct extent {
    std::uint32_t width = 0;
    std::uint32_t height = 0;

    friend bool operator==(const extent&, const extent&) = default;
};

/// Fits into side × side, keeps the ratio, never enlarges, and keeps each side at least 1.
/// Precondition: width and height are at least 1.
extent fit(extent picture, std::uint32_t side) noexcept;

/// The same for a drawing, which has no pixels to enlarge: its longer side becomes exactly @p side.
extent scale_drawing(double width, double height, std::uint32_t side) noexcept;

}  // namespace gallery::imaging
