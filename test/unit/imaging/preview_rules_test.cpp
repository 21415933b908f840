// SPDX-License-Identifier: Apache-2.0
#include "imaging/preview_rules.hpp"

#include "boost_test.hpp"

using gallery::imaging::extent;
using gallery::imaging::fit;
using gallery::imaging::scale_drawing;

BOOST_AUTO_TEST_SUITE(preview_rules)

BOOST_AUTO_TEST_CASE(a_small_picture_keeps_its_size) {
    BOOST_TEST((fit({250, 250}, 250) == extent{250, 250}));
    BOOST_TEST((fit({1, 1}, 250) == extent{1, 1}));
    BOOST_TEST((fit({249, 3}, 250) == extent{249, 3}));
}

BOOST_AUTO_TEST_CASE(the_longer_side_becomes_the_side_and_the_ratio_stays) {
    BOOST_TEST((fit({500, 250}, 250) == extent{250, 125}));
    BOOST_TEST((fit({250, 500}, 250) == extent{125, 250}));
    BOOST_TEST((fit({768, 512}, 250) == extent{250, 167}));
    BOOST_TEST((fit({251, 251}, 250) == extent{250, 250}));
}

BOOST_AUTO_TEST_CASE(no_side_vanishes) {
    BOOST_TEST((fit({50'000, 1}, 250) == extent{250, 1}));
    BOOST_TEST((fit({1, 50'000'000}, 250) == extent{1, 250}));
}

BOOST_AUTO_TEST_CASE(a_drawing_fills_the_side_whatever_its_own_size) {
    BOOST_TEST((scale_drawing(24, 24, 250) == extent{250, 250}));
    BOOST_TEST((scale_drawing(0.5, 0.25, 512) == extent{512, 256}));
    BOOST_TEST((scale_drawing(1e9, 1, 250) == extent{250, 1}));
}

BOOST_AUTO_TEST_SUITE_END()
