// SPDX-License-Identifier: Apache-2.0
#include "load/chooser.hpp"

#include "boost_test.hpp"

#include <cmath>
#include <vector>

namespace gallery::load {

namespace {

std::vector<double> shares(const std::vector<double>& weights, int tries) {
    const chooser of(weights);
    random_numbers random(3);
    std::vector<double> out(weights.size());
    for (int i = 0; i < tries; ++i)
        out[of.choose(random)] += 1.0 / tries;
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(choosing)

BOOST_AUTO_TEST_CASE(each_is_chosen_in_proportion_to_its_weight) {
    const auto found = shares({1, 0, 3, 6}, 100'000);
    BOOST_TEST(std::abs(found[0] - 0.1) < 0.005);
    BOOST_TEST(found[1] == 0.0);
    BOOST_TEST(std::abs(found[2] - 0.3) < 0.006);
    BOOST_TEST(std::abs(found[3] - 0.6) < 0.006);
}

BOOST_AUTO_TEST_CASE(the_nth_of_zipf_is_chosen_as_often_as_its_law_says) {
    const auto weights = zipf_weights(1000, 1);
    double sum = 0;
    for (const double one : weights)
        sum += one;
    const auto found = shares(weights, 400'000);
    for (const std::size_t rank : {1U, 2U, 4U, 10U}) {
        const double expected = 1.0 / static_cast<double>(rank) / sum;
        BOOST_TEST(std::abs(found[rank - 1] - expected) < 0.05 * expected);
    }
}

BOOST_AUTO_TEST_CASE(an_exponent_of_0_is_even) {
    for (const double one : shares(zipf_weights(10, 0), 100'000))
        BOOST_TEST(std::abs(one - 0.1) < 0.005);
}

BOOST_AUTO_TEST_CASE(equal_seeds_choose_the_same) {
    const chooser of(zipf_weights(50, 0.9));
    random_numbers a(5), b(5), c(6);
    int different = 0;
    for (int i = 0; i < 100; ++i) {
        const auto chosen = of.choose(a);
        BOOST_TEST(chosen == of.choose(b));
        if (chosen != of.choose(c)) ++different;
    }
    BOOST_TEST(different > 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::load
