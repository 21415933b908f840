// SPDX-License-Identifier: Apache-2.0
#include "load/plot.hpp"

#include "http/html.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace gallery::load {

namespace {

constexpr double width = 860, height = 260;
constexpr double left = 70, right = 20, top = 34, bottom = 40;

std::string fixed(double value, int digits = 1) {
    std::array<char, 48> out{};
    std::snprintf(out.data(), out.size(), "%.*f", digits, value);
    return out.data();
}

/// "1500", "1.5", "20M"
std::string label(double value) {
    std::array<char, 48> out{};
    if (value >= 1e6)
        std::snprintf(out.data(), out.size(), "%.4gM", value / 1e6);
    else if (value >= 1e4)
        std::snprintf(out.data(), out.size(), "%.4gk", value / 1e3);
    else
        std::snprintf(out.data(), out.size(), "%.4g", value);
    return out.data();
}

struct scale {
    double least = 0, most = 1;
    bool is_logarithmic = false;

    [[nodiscard]] double share(double value) const noexcept {
        if (!is_logarithmic) return (value - least) / (most - least);
        return (std::log10(std::max(value, least)) - std::log10(least)) /
               (std::log10(most) - std::log10(least));
    }
    [[nodiscard]] std::vector<double> marks() const {
        std::vector<double> out;
        if (is_logarithmic) {
            for (double at = least; at <= most * 1.001; at *= 10)
                out.push_back(at);
            return out;
        }
        constexpr int count = 5;
        for (int i = 0; i <= count; ++i)
            out.push_back(least + (most - least) * i / count);
        return out;
    }
};

double x_at(const scale& of, double value) {
    return left + of.share(value) * (width - left - right);
}

double y_at(const scale& of, double value) {
    return height - bottom - of.share(value) * (height - top - bottom);
}

std::string text_at(double x, double y, std::string_view anchor, std::string_view text,
                    std::string_view extra = "") {
    return "<text x=\"" + fixed(x) + "\" y=\"" + fixed(y) + "\" text-anchor=\"" + std::string(anchor) + "\"" +
           std::string(extra) + ">" + http::escape_html(text) + "</text>";
}

}  // namespace

double round_up(double value) noexcept {
    if (!(value > 0)) return 1;
    const double power = std::pow(10, std::floor(std::log10(value)));
    for (const double step : {1.0, 2.0, 5.0})
        if (value <= step * power * 1.0000001) return step * power;
    return 10 * power;
}

std::string svg_of(const plot& what) {
    scale x, y;
    double least_x = 0, most_x = 0, most_y = 0;
    bool has_points = false;
    for (const auto& line : what.lines) {
        for (const auto& point : line.points) {
            if (!has_points) least_x = most_x = point.x;
            has_points = true;
            least_x = std::min(least_x, point.x);
            most_x = std::max(most_x, point.x);
            most_y = std::max(most_y, point.y);
        }
    }
    x.least = least_x;
    x.most = most_x > least_x ? most_x : least_x + 1;
    y.is_logarithmic = what.is_logarithmic;
    y.least = what.is_logarithmic ? 1 : 0;
    y.most =
        what.is_logarithmic ? std::pow(10, std::ceil(std::log10(std::max(most_y, 10.0)))) : round_up(most_y);

    std::string out =
        "<svg viewBox=\"0 0 860 260\" role=\"img\" aria-label=\"" + http::escape_html(what.title) + "\">";
    out += text_at(left, 18, "start", what.title, " class=\"title\"");
    if (!has_points) return out + text_at(width / 2, height / 2, "middle", "no data") + "</svg>\n";
    for (const double mark : y.marks()) {
        const double at = y_at(y, mark);
        out += "<line class=\"grid\" x1=\"" + fixed(left) + "\" x2=\"" + fixed(width - right) + "\" y1=\"" +
               fixed(at) + "\" y2=\"" + fixed(at) + "\"/>" + text_at(left - 6, at + 4, "end", label(mark));
    }
    for (const double mark : x.marks())
        out += text_at(x_at(x, mark), height - bottom + 16, "middle", label(mark));
    out += text_at(width - right, height - 6, "end", what.x_unit) +
           text_at(left - 6, top - 6, "end", what.y_unit);
    double legend = width - right;
    for (auto line = what.lines.rbegin(); line != what.lines.rend(); ++line) {
        out += text_at(legend, 18, "end", line->name, " fill=\"" + std::string(line->colour) + "\"");
        legend -= 16 + 7.5 * static_cast<double>(line->name.size());
    }
    for (const auto& line : what.lines) {
        out += "<polyline fill=\"none\" stroke-width=\"1.6\" stroke=\"" + std::string(line.colour) +
               "\" points=\"";
        for (const auto& point : line.points)
            out += fixed(x_at(x, point.x)) + "," + fixed(y_at(y, point.y)) + " ";
        out += "\"/>";
        // A single point has no line.
        if (line.points.size() == 1) {
            out += "<circle r=\"3\" fill=\"" + std::string(line.colour) + "\" cx=\"" +
                   fixed(x_at(x, line.points[0].x)) + "\" cy=\"" + fixed(y_at(y, line.points[0].y)) + "\"/>";
        }
    }
    return out + "</svg>\n";
}

}  // namespace gallery::load
