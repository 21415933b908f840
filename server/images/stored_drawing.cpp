// SPDX-License-Identifier: Apache-2.0
#include "images/stored_drawing.hpp"

#include "imaging/inflate.hpp"
#include "imaging/sniff.hpp"

#include <gallery/characters.hpp>

#include <utility>

namespace gallery::images {

std::string decompressed_name(std::string name) {
    const auto ends_with = [&name](std::string_view ending) {
        return name.size() > ending.size() && ends_with_ignoring_case(name, ending);
    };
    if (ends_with(".svgz")) name.pop_back();
    if (ends_with(".svg.gz")) name.resize(name.size() - 3);
    return name;
}

std::optional<std::string> decompressed_drawing(std::string_view file, std::size_t most) {
    if (!imaging::is_gzip(file)) return std::nullopt;
    std::string drawing;
    const bool is_whole = imaging::inflate_gzip(file, most, drawing) == imaging::inflated::wholly;
    if (!is_whole || imaging::sniff(drawing).kind != imaging::format::svg) return std::nullopt;
    return drawing;
}

}  // namespace gallery::images
