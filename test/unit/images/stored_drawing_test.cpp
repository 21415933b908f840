// SPDX-License-Identifier: Apache-2.0
// Drawings that arrive compressed.
#include "images/stored_drawing.hpp"

#include "boost_test.hpp"
#include "coding/compress.hpp"

#include <string>
#include <utility>

namespace gallery::images {

BOOST_AUTO_TEST_SUITE(stored_drawing)

BOOST_AUTO_TEST_CASE(the_name_is_that_of_the_decompressed_file) {
    const std::pair<std::string, std::string> cases[] = {
        {"pump.svgz", "pump.svg"},   {"PUMP.SVGZ", "PUMP.SVG"},
        {"pump.svg.gz", "pump.svg"}, {"a.svg.GZ", "a.svg"},
        {"pump.svg", "pump.svg"},    {"pump.gz", "pump.gz"},
        {".svgz", ".svgz"},          {"", ""},
    };
    for (const auto& [before, after] : cases)
        BOOST_TEST(decompressed_name(before) == after);
}

BOOST_AUTO_TEST_CASE(only_a_whole_drawing_is_decompressed) {
    const auto gzip = [](const std::string& text) {
        return compress(text, content_coding::gzip, effort::once).value();
    };
    const auto drawing = "<svg xmlns=\"http://www.w3.org/2000/svg\">" + std::string(5000, ' ') + "</svg>";
    const auto packed = gzip(drawing);
    BOOST_TEST((decompressed_drawing(packed, drawing.size()) == drawing));
    BOOST_TEST((decompressed_drawing(packed + "more", drawing.size()) == drawing));
    BOOST_TEST(!decompressed_drawing(packed, drawing.size() - 1));
    BOOST_TEST(!decompressed_drawing(packed.substr(0, packed.size() / 2), drawing.size()));
    BOOST_TEST(!decompressed_drawing(drawing, drawing.size()));
    BOOST_TEST(!decompressed_drawing(gzip(std::string(5000, 'x')), drawing.size()));
    BOOST_TEST(!decompressed_drawing(gzip(packed + std::string(5000, ' ')), drawing.size()));
    BOOST_TEST(!decompressed_drawing("", drawing.size()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::images
