// SPDX-License-Identifier: Apache-2.0
// Work that one of several servers does at a time.
#define GALLERY_TEST_MODULE "app"
#include "app/lease.hpp"

#include "accounts/documents_in_memory.hpp"
#include "await.hpp"
#include "boost_test.hpp"

#include <string>
#include <vector>

namespace {

using namespace gallery;
using gallery::app::lease;
using gallery::test::await;
using gallery::test::documents_in_memory;

constexpr std::chrono::seconds length{30};

struct servers {
    documents_in_memory store;
    lease::clock::time_point now{std::chrono::hours(1)};

    lease of(std::string holder) {
        return lease(store, "work", std::move(holder), length, [this] { return now; });
    }
    static bool has(lease& one) { return await(one.acquire()).value(); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(leases, servers)

BOOST_AUTO_TEST_CASE(one_server_holds_it_and_renews_it) {
    auto one = of("one");
    auto other = of("other");
    BOOST_TEST(has(one));
    BOOST_TEST(!has(other));
    for (int i = 0; i < 5; ++i) {
        now += length - std::chrono::seconds(1);
        BOOST_TEST(has(one));
        BOOST_TEST(!has(other));
    }
}

BOOST_AUTO_TEST_CASE(what_is_given_back_is_free_at_once) {
    auto one = of("one");
    auto other = of("other");
    BOOST_TEST(has(one));
    BOOST_REQUIRE(await(one.release()));
    BOOST_TEST(has(other));
    // What is not held any more is not taken from the next holder.
    BOOST_REQUIRE(await(one.release()));
    BOOST_TEST(!has(one));
    BOOST_TEST(has(other));
}

BOOST_AUTO_TEST_CASE(what_is_forgotten_is_neither_renewed_nor_given_back) {
    auto one = of("one");
    auto other = of("other");
    BOOST_TEST(has(one));
    one.forget();
    BOOST_TEST(!await(one.renew()).value());
    BOOST_REQUIRE(await(one.release()));
    BOOST_TEST(!has(other));
    // It is the same server, so it need not wait.
    BOOST_TEST(has(one));
    BOOST_TEST(await(one.renew()).value());
}

BOOST_AUTO_TEST_CASE(a_holder_that_died_is_followed_when_its_time_is_up) {
    auto one = of("one");
    auto other = of("other");
    BOOST_TEST(has(one));
    BOOST_TEST(!has(other));
    now += length - std::chrono::seconds(1);
    BOOST_TEST(!has(other));
    now += std::chrono::seconds(1);
    BOOST_TEST(has(other));
    // The one that was believed dead was only slow, and learns of it.
    BOOST_TEST(!has(one));
}

BOOST_AUTO_TEST_CASE(renewing_takes_nothing_back) {
    auto one = of("one");
    auto other = of("other");
    BOOST_TEST(!await(one.renew()).value());
    BOOST_TEST(has(one));
    BOOST_TEST(await(one.renew()).value());
    BOOST_TEST(!has(other));
    now += length;
    BOOST_TEST(has(other));
    BOOST_REQUIRE(await(other.release()));
    // It is free, but what was done under it before may not be continued.
    BOOST_TEST(!await(one.renew()).value());
    BOOST_TEST(has(other));
}

BOOST_AUTO_TEST_CASE(a_holder_that_restarts_does_not_wait_for_itself) {
    auto before = of("one");
    BOOST_TEST(has(before));
    auto after = of("one");
    BOOST_TEST(has(after));
}

BOOST_AUTO_TEST_CASE(a_write_that_requires_a_lost_lease_changes_nothing) {
    auto one = of("one");
    auto other = of("other");
    const auto write = [&](const lease& under) {
        document doc;
        doc.kind = "thing";
        doc.id = "thing";
        std::vector<document_write> parts{document_write::save(doc, precondition::any()),
                                          under.requirement()};
        return await(store.write(parts)).value().status;
    };
    BOOST_TEST(has(one));
    BOOST_TEST((write(one) == write_status::committed));
    BOOST_TEST(!has(other));
    now += length;
    BOOST_TEST(has(other));
    BOOST_TEST((write(one) == write_status::conflict));
    BOOST_TEST((write(other) == write_status::committed));
}

BOOST_AUTO_TEST_CASE(a_store_that_fails_is_no_holder) {
    auto one = of("one");
    store.before_write = [](const std::string&) { return std::optional<error>({errc::unavailable, "cut"}); };
    const auto failed = await(one.acquire());
    BOOST_REQUIRE(!failed);
    BOOST_TEST((failed.error().code == errc::unavailable));
    store.before_write = nullptr;
    BOOST_TEST(has(one));
}

BOOST_AUTO_TEST_SUITE_END()
