// SPDX-License-Identifier: Apache-2.0
#include "imaging/worker/formats/area_scaler.hpp"

#include "boost_test.hpp"

using gallery::imaging::worker::area_scaler;
using pixels = std::vector<std::uint8_t>;

namespace {

pixels scale(const pixels& from, area_scaler::shape size, area_scaler::shape to, unsigned bands, bool alpha) {
    area_scaler scaler(size, to, bands, alpha);
    const std::size_t row = std::size_t{size.width} * bands;
    for (std::size_t at = 0; at < from.size(); at += row)
        scaler.add_row(std::span(from).subspan(at, row));
    return scaler.take();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(scaler)

BOOST_AUTO_TEST_CASE(the_same_size_is_the_same_picture) {
    const pixels picture{1, 2, 3, 4, 5, 6};
    BOOST_TEST((scale(picture, {3, 2}, {3, 2}, 1, false) == picture));
    BOOST_TEST((scale(picture, {1, 2}, {1, 2}, 3, false) == picture));
}

BOOST_AUTO_TEST_CASE(a_pixel_is_the_mean_of_the_area_it_covers) {
    BOOST_TEST((scale({10, 20, 30, 40}, {2, 2}, {1, 1}, 1, false) == pixels{25}));
    // Three onto two: each result pixel covers one and a half.
    BOOST_TEST((scale({0, 90, 210}, {3, 1}, {2, 1}, 1, false) == pixels{30, 170}));
    BOOST_TEST((scale({0, 90, 210}, {1, 3}, {1, 2}, 1, false) == pixels{30, 170}));
}

BOOST_AUTO_TEST_CASE(one_colour_stays_that_colour_at_any_ratio) {
    for (const std::uint32_t width : {1u, 2u, 7u, 250u, 251u, 999u}) {
        for (std::uint32_t to = 1; to <= width; to = to * 2 + 1) {
            for (const auto value :
                 scale(pixels(std::size_t{width} * 5, 200), {width, 5}, {to, 3}, 1, false)) {
                BOOST_REQUIRE(value == 200);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(transparent_pixels_lend_no_colour) {
    BOOST_TEST((scale({250, 0, 0, 255, 0, 0, 0, 0}, {2, 1}, {1, 1}, 4, true) == pixels{250, 0, 0, 128}));
    BOOST_TEST((scale({9, 0, 7, 0}, {2, 1}, {1, 1}, 2, true) == pixels{0, 0}));
}

BOOST_AUTO_TEST_SUITE_END()
