// SPDX-License-Identifier: Apache-2.0
/// Line plots as SVG. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gallery::load {

struct plot_point {
    double x = 0;
    double y = 0;
};

struct plot_line {
    std::string name;
    std::string_view colour;
    std::vector<plot_point> points;  ///< in the order of x
};

struct plot {
    std::string title;
    std::string x_unit;
    std::string y_unit;
    std::vector<plot_line> lines;
    bool is_logarithmic = false;  ///< the y axis; values below 1 are drawn as 1
};

/// An element <svg> with axes, a legend, and the lines. Without points it contains a note.
std::string svg_of(const plot& what);

/// A round number not below @p value: 1, 2 or 5 times a power of ten.
double round_up(double value) noexcept;

}  // namespace gallery::load
