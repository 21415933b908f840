// SPDX-License-Identifier: Apache-2.0
// Until when what is in memory may be answered.
#include "cache/freshness.hpp"

#include "boost_test.hpp"
#include "cache/etag_cache.hpp"

#include <chrono>

namespace {

using namespace gallery;
using namespace std::chrono_literals;
using cache::freshness;

}  // namespace

BOOST_AUTO_TEST_SUITE(freshness_of_memory)

BOOST_AUTO_TEST_CASE(it_holds_for_the_staleness_after_the_horizon_and_not_longer) {
    freshness fresh(1s);
    const freshness::time_point start{1000h};
    BOOST_TEST(!fresh.holds(start));
    fresh.renew(start);
    BOOST_TEST(fresh.holds(start));
    BOOST_TEST(fresh.holds(start + 999ms));
    BOOST_TEST(!fresh.holds(start + 1s));
    fresh.renew(start + 5s);
    BOOST_TEST(fresh.holds(start + 5s));
    // A look that began earlier and ended later takes nothing back.
    fresh.renew(start);
    BOOST_TEST(fresh.holds(start + 5s));
    BOOST_TEST(!fresh.holds(start + 6s));
}

BOOST_AUTO_TEST_CASE(it_reads_the_clock_by_itself) {
    freshness fresh(1h);
    BOOST_TEST(!fresh.holds());
    fresh.renew(std::chrono::steady_clock::now() - 2h);
    BOOST_TEST(!fresh.holds());
    fresh.renew(std::chrono::steady_clock::now());
    BOOST_TEST(fresh.holds());
}

BOOST_AUTO_TEST_CASE(a_store_of_ones_own_is_always_fresh) {
    freshness own;
    own.renew({});
    BOOST_TEST(own.holds());
    BOOST_TEST(own.holds(freshness::time_point(std::chrono::hours(24 * 365 * 100))));
}

BOOST_AUTO_TEST_CASE(a_switch_of_the_store_changes_how_long_it_holds) {
    freshness fresh(1s);
    const freshness::time_point start{1000h};
    fresh.own();
    BOOST_TEST(fresh.holds(start + 1h));
    // A look at the store before, which ends late.
    fresh.renew(start);
    BOOST_TEST(fresh.holds(start + 1h));
    fresh.share(start);
    BOOST_TEST(fresh.holds(start + 999ms));
    BOOST_TEST(!fresh.holds(start + 1s));
    fresh.renew(start + 1s);
    BOOST_TEST(fresh.holds(start + 1s));
    fresh.own();
    BOOST_TEST(fresh.holds(start + 1h));
}

BOOST_AUTO_TEST_CASE(an_etag_is_not_found_while_memory_is_too_old) {
    freshness fresh(1s);
    cache::etag_cache etags(1 << 20, 10min, fresh);
    const tenant_id tenant{random_uuid()};
    const auto key = cache::etag_key::image(tenant, "a.png", representation::original);
    const auto now = cache::etag_cache::coarse_now();
    BOOST_REQUIRE(etags.complete_fill(etags.begin_fill(key), key, {}, now));
    BOOST_TEST(!etags.find(key, now).has_value());
    fresh.renew(now);
    BOOST_TEST(etags.find(key, now).has_value());
    BOOST_TEST(!etags.find(key, now + 1s).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
