// SPDX-License-Identifier: Apache-2.0
#include "cache/token_cache.hpp"

#include "boost_test.hpp"
#include "counting_new.hpp"

#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace gallery::cache;
using namespace std::chrono_literals;

namespace {

struct user {
    std::string name;
};
using cache_type = token_cache<user>;

constexpr cache_type::time_point now{std::chrono::hours{500'000}};

std::shared_ptr<const user> named(std::string name) {
    return std::make_shared<const user>(user{std::move(name)});
}

std::string token(int n) {
    return "eyJhbGciOiJIUzUxMiJ9." + std::string(400, 'x') + std::to_string(n);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tokens)

BOOST_AUTO_TEST_CASE(a_kept_token_is_found_by_all_of_its_characters) {
    const revocation_epoch epoch;
    cache_type cache(epoch, 100, 100'000);
    cache.insert(token(1), named("ann"), now + 1h, epoch.current());
    const auto* found = cache.find(token(1), now);
    BOOST_REQUIRE(found != nullptr);
    BOOST_TEST((*found)->name == "ann");
    BOOST_TEST(cache.find(token(2), now) == nullptr);
    BOOST_TEST(cache.find(token(1) + "x", now) == nullptr);
    BOOST_TEST(cache.find(token(1).substr(1), now) == nullptr);
    BOOST_TEST(cache.find("", now) == nullptr);
    BOOST_TEST(cache.counters().hits == 1);
    BOOST_TEST(cache.counters().misses == 4);
}

BOOST_AUTO_TEST_CASE(long_tokens_that_differ_anywhere_are_different_tokens) {
    const revocation_epoch epoch;
    cache_type cache(epoch, 100, 100'000);
    const auto kept = token(1);
    cache.insert(kept, named("ann"), now + 1h, epoch.current());
    for (std::size_t place = 0; place < kept.size(); ++place) {
        auto other = kept;
        other[place] = '-';
        BOOST_TEST(cache.find(other, now) == nullptr);
    }
    auto twin = kept;  // the same at both ends
    twin[kept.size() / 2] = '-';
    cache.insert(twin, named("bob"), now + 1h, epoch.current());
    BOOST_REQUIRE(cache.find(kept, now) != nullptr);
    BOOST_TEST((*cache.find(kept, now))->name == "ann");
    BOOST_REQUIRE(cache.find(twin, now) != nullptr);
    BOOST_TEST((*cache.find(twin, now))->name == "bob");
}

BOOST_AUTO_TEST_CASE(an_expired_token_is_not_found_from_its_very_moment_on) {
    const revocation_epoch epoch;
    cache_type cache(epoch, 100, 100'000);
    cache.insert(token(1), named("ann"), now + 1h, epoch.current());
    BOOST_TEST(cache.find(token(1), now + 1h - 1ns) != nullptr);
    BOOST_TEST(cache.find(token(1), now + 1h) == nullptr);
    BOOST_TEST(cache.counters().entries == 0);
    BOOST_TEST(cache.find(token(1), now) == nullptr);
}

BOOST_AUTO_TEST_CASE(a_revocation_is_in_force_at_once) {
    revocation_epoch epoch;
    cache_type cache(epoch, 100, 100'000);
    cache.insert(token(1), named("ann"), now + 1h, epoch.current());
    std::thread([&] { epoch.bump(); }).join();
    BOOST_TEST(cache.find(token(1), now) == nullptr);
    BOOST_TEST(cache.counters().entries == 0);
}

BOOST_AUTO_TEST_CASE(what_was_revoked_while_it_was_verified_is_not_kept) {
    revocation_epoch epoch;
    cache_type cache(epoch, 100, 100'000);
    const auto before = epoch.current();
    epoch.bump();
    cache.insert(token(1), named("ann"), now + 1h, before);
    BOOST_TEST(cache.find(token(1), now) == nullptr);
    cache.insert(token(1), named("ann"), now + 1h, epoch.current());
    BOOST_TEST(cache.find(token(1), now) != nullptr);
}

BOOST_AUTO_TEST_CASE(the_least_recently_used_token_makes_room) {
    const revocation_epoch epoch;
    cache_type cache(epoch, 3, 100'000);
    for (int n = 0; n < 3; ++n)
        cache.insert(token(n), named("ann"), now + 1h, epoch.current());
    BOOST_TEST(cache.find(token(0), now) != nullptr);
    cache.insert(token(3), named("bob"), now + 1h, epoch.current());
    BOOST_TEST(cache.find(token(1), now) == nullptr);
    for (const int n : {0, 2, 3})
        BOOST_TEST(cache.find(token(n), now) != nullptr);
    BOOST_TEST(cache.counters().evictions == 1);
}

BOOST_AUTO_TEST_CASE(entries_and_bytes_are_bounded_by_what_the_allocator_gave_away) {
    const revocation_epoch epoch;
    const auto principal = named("ann");
    std::vector<std::string> tokens;
    for (int n = 0; n < 500; ++n)
        tokens.push_back(token(n) + std::string(static_cast<std::size_t>(n) * 7 % 300, 'y'));
    test::counting::reset();
    {
        const test::counting on;
        cache_type cache(epoch, 64, 20'000);
        for (const auto& each : tokens) {
            cache.insert(each, principal, now + 1h, epoch.current());
            BOOST_REQUIRE(cache.counters().bytes == static_cast<std::uint64_t>(test::counting::live()));
            BOOST_REQUIRE(cache.counters().bytes <= 20'000);
            BOOST_REQUIRE(cache.counters().entries <= 64);
            BOOST_REQUIRE(cache.find(each, now) != nullptr);
        }
    }
    BOOST_TEST(test::counting::peak() <= 20'000);
    BOOST_TEST(test::counting::live() == 0);
    BOOST_TEST(principal.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(a_token_too_large_is_not_kept_and_evicts_nothing) {
    const revocation_epoch epoch;
    cache_type cache(epoch, 64, 10'000);
    cache.insert(token(1), named("ann"), now + 1h, epoch.current());
    cache.insert(std::string(10'000, 'x'), named("ann"), now + 1h, epoch.current());
    BOOST_TEST(cache.find(token(1), now) != nullptr);
    BOOST_TEST(cache.counters().entries == 1);
}

BOOST_AUTO_TEST_CASE(a_token_kept_again_has_its_new_principal_and_expiry) {
    const revocation_epoch epoch;
    cache_type cache(epoch, 64, 10'000);
    cache.insert(token(1), named("ann"), now + 1h, epoch.current());
    cache.insert(token(1), named("bob"), now + 2h, epoch.current());
    const auto* found = cache.find(token(1), now + 90min);
    BOOST_REQUIRE(found != nullptr);
    BOOST_TEST((*found)->name == "bob");
    BOOST_TEST(cache.counters().entries == 1);
}

BOOST_AUTO_TEST_CASE(zero_of_either_bound_disables) {
    const revocation_epoch epoch;
    for (const auto& [entries, bytes] : {std::pair{0, 10'000}, std::pair{10, 0}, std::pair{10, 40}}) {
        cache_type cache(epoch, static_cast<std::size_t>(entries), static_cast<std::size_t>(bytes));
        cache.insert(token(1), named("ann"), now + 1h, epoch.current());
        BOOST_TEST(cache.find(token(1), now) == nullptr);
    }
}

BOOST_AUTO_TEST_CASE(a_hit_allocates_nothing_and_counts_no_reference) {
    const revocation_epoch epoch;
    cache_type cache(epoch, 64, 100'000);
    const auto principal = named("ann");
    for (int n = 0; n < 10; ++n)
        cache.insert(token(n), principal, now + 1h, epoch.current());
    const auto text = token(4);
    const auto references = principal.use_count();
    test::counting::reset();
    {
        const test::counting on;
        for (int i = 0; i < 100; ++i)
            BOOST_REQUIRE(cache.find(text, now)->get() == principal.get());
    }
    BOOST_TEST(test::counting::allocations() == 0);
    BOOST_TEST(principal.use_count() == references);
}

BOOST_AUTO_TEST_SUITE_END()
