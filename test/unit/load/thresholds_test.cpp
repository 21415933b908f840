// SPDX-License-Identifier: Apache-2.0
#include "load/thresholds.hpp"

#include "load/statistics.hpp"

#include "boost_test.hpp"

#include <memory>

namespace gallery::load {

namespace {

/// 98 good requests of 1 ms, and two of 100 ms, of which one failed.
std::unique_ptr<statistics> sample() {
    auto out = std::make_unique<statistics>(0);
    constexpr std::int64_t ms = 1'000'000;
    for (int i = 0; i < 98; ++i)
        out->record(operation::get, verdict::good, 0, 0, ms, 100, 10);
    out->record(operation::upload, verdict::good, 0, 0, 100 * ms, 100, 10);
    out->record(operation::upload, verdict::status, 0, 0, 100 * ms, 100, 10);
    out->end(1000 * ms);
    return out;
}

threshold_outcome outcome_of(const std::string& text, const run_totals& totals) {
    const auto parsed = parse_threshold(text);
    BOOST_TEST_REQUIRE(parsed.has_value(), text);
    return judge({*parsed}, totals).front();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(thresholds)

BOOST_AUTO_TEST_CASE(what_is_no_threshold_is_refused) {
    for (const auto* const wrong :
         {"", "p99", "p99 5ms", "p99 > 5ms", "p0 < 5ms", "p100 < 5ms", "p99 < 5", "p99 < 5%", "errors < 1",
          "errors < 1ms", "throughput < 5", "throughput > 5ms", "gte p99 < 5ms", "get upload p99 < 5ms",
          "< 5ms", "mean < -5ms", "p99 <"}) {
        BOOST_TEST(!parse_threshold(wrong).has_value(), wrong);
    }
}

BOOST_AUTO_TEST_CASE(a_threshold_concerns_all_requests_or_those_of_one_kind) {
    const auto figures = sample();
    const auto& totals = figures->totals();
    BOOST_TEST(outcome_of("p98 < 2ms", totals).holds);
    BOOST_TEST(!outcome_of("p99 < 2ms", totals).holds);
    BOOST_TEST(outcome_of("get p99.9 < 2ms", totals).holds);
    BOOST_TEST(!outcome_of("upload p50 < 2 ms", totals).holds);
    BOOST_TEST(outcome_of("upload max < 200ms", totals).holds);
    BOOST_TEST(outcome_of("mean < 3ms", totals).holds);
    BOOST_TEST(!outcome_of("mean < 2ms", totals).holds);
    BOOST_TEST(outcome_of("errors < 1.1%", totals).holds);
    BOOST_TEST(!outcome_of("errors < 1%", totals).holds);
    BOOST_TEST(!outcome_of("upload errors < 50%", totals).holds);
    BOOST_TEST(outcome_of("throughput > 98", totals).holds);
    BOOST_TEST(!outcome_of("throughput > 99", totals).holds);
}

BOOST_AUTO_TEST_CASE(a_threshold_without_requests_does_not_hold) {
    const auto found = outcome_of("replace p99 < 1h", sample()->totals());
    BOOST_TEST(!found.holds);
    BOOST_TEST(found.found == "no requests");
}

BOOST_AUTO_TEST_CASE(stale_and_wrong_answers_break_every_run) {
    auto figures = sample();
    BOOST_TEST(all_hold(judge({}, figures->totals())));
    figures->record(operation::get, verdict::stale, 0, 0, 1, 0, 0);
    const auto outcomes = judge({}, figures->totals());
    BOOST_TEST(!all_hold(outcomes));
    BOOST_TEST(outcomes[0].text == "stale answers = 0");
    BOOST_TEST(!outcomes[0].holds);
    BOOST_TEST(outcomes[1].holds);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::load
