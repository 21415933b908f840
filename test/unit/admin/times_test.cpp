// SPDX-License-Identifier: Apache-2.0
// Times as people write and read them.
#include "admin/times.hpp"

#include "boost_test.hpp"

namespace gallery::admin {

namespace {

constexpr std::int64_t now = 1'800'000'000'000;  // 2027-01-15T08:00:00Z

}  // namespace

BOOST_AUTO_TEST_SUITE(times)

BOOST_AUTO_TEST_CASE(spans_begin_now) {
    BOOST_TEST(parse_expiry("30m", now).value() == now + 30LL * 60'000);
    BOOST_TEST(parse_expiry("12h", now).value() == now + 12LL * 3'600'000);
    BOOST_TEST(parse_expiry("90d", now).value() == now + 90LL * 86'400'000);
}

BOOST_AUTO_TEST_CASE(dates_are_utc) {
    BOOST_TEST(parse_expiry("2027-01-31", now).value() == 1'801'353'600'000);
    BOOST_TEST(parse_expiry("2027-01-31T12:00:05Z", now).value() == 1'801'396'805'000);
    BOOST_TEST(parse_expiry("2028-02-29", now).has_value());
    BOOST_TEST(parse_expiry("never", now).value() == 0);
}

BOOST_AUTO_TEST_CASE(what_is_no_time_or_over_is_refused) {
    for (const char* text : {"", "d", "0d", "-1d", "1.5d", "90", "90 d", "90D", "999999999999999999999d",
                             "99999999999d", "2027-02-29", "2027-13-01", "2027-1-31", "2027-01-31T25:00:00Z",
                             "2027-01-31T12:00:00", "2027-01-31 12:00:00", "2026-12-31", "tomorrow"}) {
        BOOST_TEST(parse_expiry(text, now).has_error(), text);
    }
}

BOOST_AUTO_TEST_CASE(times_are_shown_in_utc) {
    BOOST_TEST(format_time(now) == "2027-01-15 08:00:00Z");
    BOOST_TEST(format_time(0) == "-");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::admin
