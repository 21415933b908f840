// SPDX-License-Identifier: Apache-2.0
#include "load/limit_search.hpp"

#include "boost_test.hpp"

namespace gallery::load {

namespace {

/// The limit that is found for a server that does @p capacity; counts the tries.
double found(double capacity, double first, int& tries) {
    limit_search search(first, 1.5, 0.05);
    for (tries = 0; !search.is_over() && tries < 100; ++tries)
        search.tried(search.next() <= capacity);
    return search.best();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(limits)

BOOST_AUTO_TEST_CASE(the_limit_is_found_within_the_precision_and_never_above_it) {
    for (const double capacity : {10.0, 11.0, 123.0, 9999.0, 12'345.6}) {
        int tries = 0;
        const double limit = found(capacity, 10, tries);
        BOOST_TEST(limit <= capacity);
        BOOST_TEST(limit >= capacity * 0.94);
        BOOST_TEST(tries < 30);
    }
}

BOOST_AUTO_TEST_CASE(a_first_rate_that_is_too_high_ends_the_search) {
    int tries = 0;
    BOOST_TEST(found(5, 10, tries) == 0.0);
    BOOST_TEST(tries == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::load
