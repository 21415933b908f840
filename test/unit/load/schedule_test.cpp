// SPDX-License-Identifier: Apache-2.0
// The schedule, and what a server that stalls makes of it. The clock is a number.
#include "load/schedule.hpp"

#include "load/statistics.hpp"

#include "boost_test.hpp"

#include <cmath>
#include <memory>
#include <vector>

namespace gallery::load {

namespace {

using namespace std::chrono_literals;

constexpr run_time a_millisecond = 1'000'000;
constexpr run_time a_second = 1000 * a_millisecond;

scenario plan_of(double rate, std::chrono::nanoseconds length, bool is_even) {
    scenario out;
    out.stages = {{rate, 0s}, {rate, length}};
    out.is_even = is_even;
    out.images = 10;
    out.sizes = {{1000, 1}};
    out.visits = {{"one", 1, 0ns, false, {burst{{{operation::get, 1}}}}}};
    return out;
}

std::vector<planned_request> all_of(const scenario& plan, std::uint64_t seed = 1) {
    std::vector<planned_request> out;
    schedule of(plan, seed);
    while (const auto time = of.next_time())
        of.take_due(*time, [&out](const planned_request& one) { out.push_back(one); });
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(schedules)

BOOST_AUTO_TEST_CASE(even_arrivals_have_equal_distances) {
    const auto all = all_of(plan_of(100, 2s, true));
    BOOST_TEST_REQUIRE(all.size() >= 199U);
    BOOST_TEST(all.size() <= 200U);
    for (std::size_t i = 1; i < all.size(); ++i)
        BOOST_TEST(std::abs(all[i].intended - all[i - 1].intended - 10 * a_millisecond) <= 2);
}

BOOST_AUTO_TEST_CASE(random_arrivals_have_the_rate_and_the_spread_of_poisson) {
    const auto all = all_of(plan_of(1000, 60s, false));
    BOOST_TEST(std::abs(static_cast<double>(all.size()) - 60'000) < 1000);
    double squares = 0;
    for (std::size_t i = 1; i < all.size(); ++i) {
        const double gap = static_cast<double>(all[i].intended - all[i - 1].intended) / a_millisecond;
        squares += (gap - 1) * (gap - 1);
    }
    // The standard deviation of the distances equals their mean.
    BOOST_TEST(std::abs(std::sqrt(squares / static_cast<double>(all.size())) - 1) < 0.05);
}

BOOST_AUTO_TEST_CASE(a_ramp_rises_evenly) {
    arrivals of({{100, 10s}, {100, 10s}, {0, 10s}}, true);
    random_numbers random(1);
    std::vector<int> by_second(31);
    while (const auto time = of.next(random))
        ++by_second[static_cast<std::size_t>(*time / a_second)];
    for (const auto& [second, expected] :
         std::vector<std::pair<std::size_t, int>>{{0, 5}, {4, 45}, {9, 95}, {15, 100}, {20, 95}, {29, 5}})
        BOOST_TEST(std::abs(by_second[second] - expected) <= 1, second << ": " << by_second[second]);
    BOOST_TEST(std::abs(of.expected_until(10) - 500) < 1e-6);
    BOOST_TEST(std::abs(of.expected_until(30) - 2000) < 1e-6);
}

BOOST_AUTO_TEST_CASE(the_bursts_of_a_visit_are_apart_by_the_think_time_and_in_order) {
    auto plan = plan_of(1, 1500ms, true);
    plan.visits = {{"page",
                    1,
                    300ms,
                    true,
                    {burst{{{operation::list, 1}, {operation::get, 2}}}, burst{{{operation::info, 1}}}}}};
    const auto all = all_of(plan);
    BOOST_TEST_REQUIRE(all.size() == 4U);
    BOOST_TEST((all[0].what == operation::list));
    BOOST_TEST((all[1].what == operation::get));
    BOOST_TEST((all[3].what == operation::info));
    BOOST_TEST(all[0].intended == all[2].intended);
    BOOST_TEST(all[3].intended - all[0].intended == 300 * a_millisecond);
    for (const auto& one : all)
        BOOST_TEST(one.image == all[0].image);
}

BOOST_AUTO_TEST_CASE(visits_overlap_in_the_order_of_their_times) {
    auto plan = plan_of(50, 3s, false);
    plan.visits = {
        {"long",
         1,
         700ms,
         false,
         {burst{{{operation::get, 1}}}, burst{{{operation::get, 1}}}, burst{{{operation::get, 1}}}}},
        {"short", 1, 0ns, false, {burst{{{operation::list, 1}}}}}};
    const auto all = all_of(plan);
    BOOST_TEST(all.size() > 200U);
    for (std::size_t i = 1; i < all.size(); ++i)
        BOOST_TEST(all[i].intended >= all[i - 1].intended);
}

BOOST_AUTO_TEST_CASE(equal_seeds_make_equal_schedules) {
    const auto plan = plan_of(200, 1s, false);
    const auto a = all_of(plan, 9), b = all_of(plan, 9), c = all_of(plan, 10);
    BOOST_TEST_REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i)
        BOOST_TEST((a[i].intended == b[i].intended && a[i].image == b[i].image));
    BOOST_TEST((a.size() != c.size() || a[0].intended != c[0].intended));
}

// One connection, a server that answers within a millisecond, and stalls from second 4 to second 6 of ten. A
// fifth of all requests falls into the stall; a generator that waits for each answer would send one of them.
BOOST_AUTO_TEST_CASE(a_server_that_stalls_shows_in_the_percentiles) {
    const auto plan = plan_of(100, 10s, true);
    schedule of(plan, 1);
    const auto figures = std::make_unique<statistics>(0);
    std::vector<planned_request> waiting;
    run_time free_at = 0;
    while (const auto time = of.next_time()) {
        of.take_due(*time, [&](const planned_request& one) { waiting.push_back(one); });
        for (const auto& one : waiting) {
            const auto sent = std::max(free_at, one.intended);
            const bool is_stalled = sent >= 4 * a_second && sent < 6 * a_second;
            free_at = (is_stalled ? 6 * a_second : sent) + a_millisecond;
            figures->record(one.what, verdict::good, one.intended, sent, free_at, 0, 0);
        }
        waiting.clear();
    }
    const auto all = figures->totals().all();
    BOOST_TEST(all.latency.percentile(50) <= 1100U);
    BOOST_TEST(all.latency.percentile(95) > 1'000'000U);
    BOOST_TEST(all.latency.max() > 1'990'000U);
    // Only the one request that was under way was slow to be answered once it had been sent.
    BOOST_TEST(all.service.percentile(99) <= 1100U);
    BOOST_TEST(all.service.max() > 1'990'000U);
}

BOOST_AUTO_TEST_CASE(requests_of_the_warm_up_are_not_counted_unless_they_are_stale_or_wrong) {
    const auto figures = std::make_unique<statistics>(a_second);
    figures->record(operation::get, verdict::good, 0, 0, a_millisecond, 10, 10);
    figures->record(operation::get, verdict::timeout, 0, 0, a_millisecond, 10, 10);
    figures->record(operation::get, verdict::stale, 0, 0, a_millisecond, 10, 10);
    figures->record(operation::get, verdict::good, a_second, a_second, a_second + a_millisecond, 10, 10);
    figures->end(3 * a_second);
    const auto all = figures->totals().all();
    BOOST_TEST(all.count() == 2U);
    BOOST_TEST(all.of(verdict::stale) == 1U);
    BOOST_TEST(all.latency.count() == 1U);
    BOOST_TEST(figures->totals().seconds == 2.0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::load
