// SPDX-License-Identifier: Apache-2.0
#include "load/histogram.hpp"

#include "load/random.hpp"

#include "boost_test.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

namespace gallery::load {

BOOST_AUTO_TEST_SUITE(histograms)

BOOST_AUTO_TEST_CASE(small_values_are_exact) {
    const auto of = std::make_unique<histogram>();
    for (std::uint64_t i = 1; i <= 100; ++i)
        of->record(i);
    BOOST_TEST(of->percentile(50) == 50U);
    BOOST_TEST(of->percentile(99) == 99U);
    BOOST_TEST(of->percentile(100) == 100U);
    BOOST_TEST(of->percentile(0) == 1U);
    BOOST_TEST(of->mean() == 50.5);
    BOOST_TEST(of->max() == 100U);
}

BOOST_AUTO_TEST_CASE(a_percentile_is_within_one_percent_of_the_sorted_values_over_the_whole_range) {
    const auto of = std::make_unique<histogram>();
    std::vector<std::uint64_t> all;
    random_numbers random(7);
    for (int i = 0; i < 20'000; ++i) {
        const auto value = static_cast<std::uint64_t>(std::exp(random.fraction() * 24));
        all.push_back(value);
        of->record(value);
    }
    std::sort(all.begin(), all.end());
    for (const double percent : {1.0, 10.0, 50.0, 90.0, 99.0, 99.9, 99.99}) {
        const auto rank =
            static_cast<std::size_t>(std::ceil(percent / 100 * static_cast<double>(all.size())));
        const auto exact = all[rank - 1];
        BOOST_TEST(of->percentile(percent) >= exact);
        BOOST_TEST(static_cast<double>(of->percentile(percent)) <= static_cast<double>(exact) * 1.01 + 1);
    }
}

BOOST_AUTO_TEST_CASE(no_percentile_is_above_the_largest_value) {
    const auto of = std::make_unique<histogram>();
    of->record(1'000'001);
    BOOST_TEST(of->percentile(99.9) == 1'000'001U);
}

BOOST_AUTO_TEST_CASE(values_above_the_range_count_as_the_largest) {
    const auto of = std::make_unique<histogram>();
    of->record(~0ULL);
    of->record(histogram::largest);
    BOOST_TEST(of->count() == 2U);
    BOOST_TEST(of->percentile(1) == histogram::largest);
}

BOOST_AUTO_TEST_CASE(a_sum_has_the_values_of_both) {
    const auto a = std::make_unique<histogram>();
    const auto b = std::make_unique<histogram>();
    for (std::uint64_t i = 0; i < 99; ++i)
        a->record(10);
    b->record(5000);
    a->add(*b);
    BOOST_TEST(a->count() == 100U);
    BOOST_TEST(a->percentile(99) == 10U);
    BOOST_TEST(a->max() == 5000U);
    a->clear();
    BOOST_TEST(a->count() == 0U);
    BOOST_TEST(a->percentile(50) == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::load
