// SPDX-License-Identifier: Apache-2.0
#include "load/ring.hpp"

#include "boost_test.hpp"

namespace gallery::load {

BOOST_AUTO_TEST_SUITE(rings)

BOOST_AUTO_TEST_CASE(values_leave_in_their_order_around_the_end) {
    ring<int> of(3);
    int next = 0;
    int expected = 0;
    of.push(next++);
    for (int i = 0; i < 10; ++i) {
        of.push(next++);
        of.push(next++);
        BOOST_TEST(of.size() == 3U);
        BOOST_TEST(of.pop() == expected++);
        BOOST_TEST(of.pop() == expected++);
    }
    BOOST_TEST(of.pop() == expected);
    BOOST_TEST(of.empty());
}

BOOST_AUTO_TEST_CASE(a_value_is_removed_and_the_others_keep_their_order) {
    ring<int> of(4);
    of.push(9);
    (void)of.pop();
    for (const int one : {1, 2, 3, 2})
        of.push(one);
    of.remove(2);
    BOOST_TEST(of.size() == 2U);
    BOOST_TEST(of.pop() == 1);
    BOOST_TEST(of.pop() == 3);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::load
