// SPDX-License-Identifier: Apache-2.0
#define GALLERY_TEST_MODULE "cache"
#include "boost_test.hpp"
#include "cache_fixture.hpp"

#include <vector>

using namespace gallery::cache;
using namespace gallery::cache::test;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(lru)

BOOST_AUTO_TEST_CASE(what_was_filled_is_found_and_nothing_else) {
    number_lru cache(100'000, life);
    BOOST_TEST(fill(cache, key("cat.png"), 1));
    BOOST_TEST(find(cache, key("cat.png")).value() == 1);
    BOOST_TEST(!find(cache, key("cat.pn")).has_value());
    BOOST_TEST(!find(cache, key("cat.png", 1)).has_value());
    BOOST_TEST(!find(cache, {.scope = {7, 10}, .text = "cat.png"}).has_value());
    BOOST_TEST(!find(cache, {.scoped = false, .text = "cat.png"}).has_value());
    BOOST_TEST(!find(cache, {}).has_value());
}

BOOST_AUTO_TEST_CASE(an_empty_text_is_a_key_like_any_other) {
    number_lru cache(100'000, life);
    BOOST_TEST(fill(cache, {}, 5));
    BOOST_TEST(find(cache, {}).value() == 5);
}

BOOST_AUTO_TEST_CASE(a_second_fill_replaces_the_value_and_occupies_nothing_more) {
    number_lru cache(100'000, life);
    fill(cache, key("a"), 1);
    const auto before = cache.counters();
    fill(cache, key("a"), 2);
    BOOST_TEST(find(cache, key("a")).value() == 2);
    BOOST_TEST(cache.counters().bytes == before.bytes);
    BOOST_TEST(cache.counters().entries == 1);
}

BOOST_AUTO_TEST_CASE(the_order_of_eviction_is_exactly_lru) {
    number_lru cache(20'000, life);
    const auto count = fill_up(cache);
    BOOST_REQUIRE(count > 20);
    // Every third is used again, the last first; after them one is replaced.
    std::vector<std::uint64_t> order;
    for (std::uint64_t n = 0; n < count; ++n)
        if (n % 3 != 0 && n != 4) order.push_back(n);
    for (std::uint64_t n = count; n-- != 0;)
        if (n % 3 == 0) {
            BOOST_TEST(find(cache, key(name(n))).value() == n);
            order.push_back(n);
        }
    fill(cache, key(name(4)), 4);
    order.push_back(4);

    // One new entry at a time; what it evicted is seen by erasing, which is no use and so keeps the order.
    std::uint64_t added = 1'000'000;
    for (const auto expected : order) {
        const auto before = cache.counters().evictions;
        while (cache.counters().evictions == before)
            fill(cache, key(name(++added)), 0);
        BOOST_REQUIRE(cache.counters().evictions == before + 1);
        BOOST_REQUIRE_MESSAGE(cache.erase(key(name(expected))) == 0, expected << " should have been evicted");
    }
}

BOOST_AUTO_TEST_CASE(an_entry_hit_many_times_outlives_all_others) {
    number_lru cache(20'000, life);
    const auto count = fill_up(cache);
    for (std::uint64_t n = 0; n < 20 * count; ++n) {
        BOOST_REQUIRE(find(cache, key(name(0))).value() == 0);
        fill(cache, key(name(count + n)), n);
    }
}

BOOST_AUTO_TEST_CASE(one_big_entry_evicts_no_more_than_it_must) {
    number_lru cache(20'000, life);
    const auto count = fill_up(cache);
    const auto before = cache.counters();

    const std::string big(3'000, 'b');
    BOOST_TEST(fill(cache, key(big), 1));
    const auto after = cache.counters();
    const auto wanted = before.bytes + occupied(big.size()) - cache.max_bytes();
    const auto evicted = after.evictions - before.evictions;
    BOOST_TEST(evicted == (wanted + occupied(20) - 1) / occupied(20));
    BOOST_TEST(after.bytes <= cache.max_bytes());
    // The oldest went, all others are there.
    for (std::uint64_t n = 0; n < count; ++n)
        BOOST_TEST(cache.erase(key(name(n))) == (n < evicted ? 0U : 1U));
}

BOOST_AUTO_TEST_CASE(an_entry_as_large_as_the_whole_bound_fits) {
    number_lru cache(20'000, life);
    fill_up(cache);
    std::size_t size = 10'000;
    while (index_bytes(20'000) + occupied(size + 1) <= cache.max_bytes())
        ++size;
    BOOST_TEST(fill(cache, key(std::string(size, 'x')), 1));
    BOOST_TEST(find(cache, key(std::string(size, 'x'))).has_value());
    BOOST_TEST(cache.counters().entries == 1);
    BOOST_TEST(cache.counters().bytes == cache.max_bytes());
    BOOST_TEST(!fill(cache, key(std::string(size + 1, 'x')), 1));
    BOOST_TEST(cache.counters().entries == 1);
}

BOOST_AUTO_TEST_CASE(an_entry_larger_than_the_bound_is_not_kept_and_evicts_nothing) {
    number_lru cache(20'000, life);
    const auto count = fill_up(cache);
    BOOST_TEST(!fill(cache, key(std::string(20'000, 'x')), 1));
    BOOST_TEST(!fill(cache, key(std::string(70'000, 'x')), 1));
    BOOST_TEST(cache.counters().entries == count);
    BOOST_TEST(cache.counters().evictions == 0);
    BOOST_TEST(cache.counters().dropped_fills == 2);
}

BOOST_AUTO_TEST_CASE(zero_disables) {
    number_lru cache(0, life);
    BOOST_TEST(!cache.enabled());
    BOOST_TEST(!fill(cache, key("a"), 1));
    BOOST_TEST(!find(cache, key("a")).has_value());
    BOOST_TEST(cache.erase(key("a")) == 0);
    BOOST_TEST(cache.sweep(start + 1000h) == 0);
    cache.clear();
    const auto counters = cache.counters();
    BOOST_TEST(counters.bytes == 0);
    BOOST_TEST(counters.entries == 0);
    BOOST_TEST(counters.misses == 0);
}

BOOST_AUTO_TEST_CASE(a_bound_is_rounded_down_to_pages_and_less_than_one_disables) {
    for (const std::size_t bound : {1, 100, 4'095, 4'096, 4'097, 5'000, 8'191, 8'192, 12'345}) {
        number_lru cache(bound, life);
        BOOST_TEST(cache.max_bytes() == bound / 4'096 * 4'096);
        BOOST_TEST(cache.enabled() == (bound >= 4'096));
        BOOST_TEST(fill(cache, key("a"), 1) == cache.enabled());
        BOOST_TEST(find(cache, key("a")).has_value() == cache.enabled());
        BOOST_TEST(cache.counters().bytes <= bound);
    }
}

BOOST_AUTO_TEST_CASE(keys_that_differ_anywhere_in_a_long_text_are_told_apart) {
    number_lru cache(4'000'000, life);
    for (const std::size_t size :
         {1, 60, 63, 64, 65, 79, 80, 81, 183, 184, 185, 188, 204, 310, 1'020, 65'000}) {
        const std::string text(size, 'x');
        BOOST_REQUIRE(fill(cache, key(text), size));
        BOOST_REQUIRE(fill(cache, {.scoped = false, .text = text}, size + 1));
        for (std::size_t at = 0; at<size; at += size> 2'000 ? 977 : 1) {
            auto other = text;
            other[at] = 'y';
            BOOST_REQUIRE(!find(cache, key(other)).has_value());
        }
        BOOST_TEST(find(cache, key(text)).value() == size);
        BOOST_TEST(find(cache, {.scoped = false, .text = text}).value() == size + 1);
        BOOST_TEST(cache.erase(key(text)) == 1);
        BOOST_TEST(find(cache, {.scoped = false, .text = text}).value() == size + 1);
    }
}

BOOST_AUTO_TEST_CASE(an_entry_expires_so_long_after_its_last_use) {
    number_lru cache(100'000, life);
    fill(cache, key("a"), 1, start);
    BOOST_TEST(find(cache, key("a"), start + 59min).has_value());
    BOOST_TEST(find(cache, key("a"), start + 118min).has_value());  // counts from the use, not from the fill
    BOOST_TEST(!find(cache, key("a"), start + 178min).has_value());
    BOOST_TEST(cache.counters().expiries == 1);
    BOOST_TEST(cache.counters().entries == 0);
    BOOST_TEST(!find(cache, key("a"), start + 118min).has_value());
}

BOOST_AUTO_TEST_CASE(an_expired_entry_can_be_filled_anew) {
    number_lru cache(100'000, life);
    fill(cache, key("a"), 1, start);
    fill(cache, key("a"), 2, start + 2h);
    BOOST_TEST(find(cache, key("a"), start + 2h).value() == 2);
}

BOOST_AUTO_TEST_CASE(sweeping_frees_what_has_expired_and_nothing_else) {
    number_lru cache(10'000'000, life);
    const auto empty = cache.counters().bytes;
    for (std::uint64_t n = 0; n < 1'000; ++n)
        fill(cache, key(name(n)), n, start);
    for (std::uint64_t n = 0; n < 1'000; n += 2)
        find(cache, key(name(n)), start + 30min);
    BOOST_TEST(cache.sweep(start + 59min) == 0);
    BOOST_TEST(cache.sweep(start + 60min) == 500);
    for (std::uint64_t n = 0; n < 1'000; ++n)
        BOOST_TEST(find(cache, key(name(n)), start + 60min).has_value() == (n % 2 == 0));
    BOOST_TEST(cache.sweep(start + 120min) == 500);
    BOOST_TEST(cache.counters().expiries == 1'000);
    BOOST_TEST(cache.counters().bytes == empty);
}

BOOST_AUTO_TEST_CASE(a_time_to_live_of_nothing_keeps_nothing) {
    number_lru cache(100'000, 0min);
    BOOST_TEST(!fill(cache, key("a"), 1));
    BOOST_TEST(!find(cache, key("a")).has_value());
}

BOOST_AUTO_TEST_CASE(erasing_a_subject_takes_all_its_variants_and_no_other_subject) {
    number_lru cache(100'000, life);
    for (std::uint8_t variant = 0; variant < 20; ++variant)
        fill(cache, key("a", variant), variant);
    fill(cache, key("b"), 1);
    fill(cache, {.scoped = false, .text = "a"}, 1);
    fill(cache, {.scope = {8, 9}, .text = "a"}, 1);
    BOOST_TEST(cache.erase(key("a")) == 20);
    for (std::uint8_t variant = 0; variant < 20; ++variant)
        BOOST_TEST(!find(cache, key("a", variant)).has_value());
    BOOST_TEST(find(cache, key("b")).has_value());
    BOOST_TEST(find(cache, {.scoped = false, .text = "a"}).has_value());
    BOOST_TEST(find(cache, {.scope = {8, 9}, .text = "a"}).has_value());
    BOOST_TEST(cache.counters().erasures == 20);
}

BOOST_AUTO_TEST_CASE(a_fill_that_an_erasure_overtook_is_dropped) {
    number_lru cache(100'000, life);
    const auto ticket = cache.begin_fill(key("a"));
    cache.erase(key("a"));
    BOOST_TEST(!cache.complete_fill(ticket, key("a"), {1}, start));
    BOOST_TEST(!cache.complete_fill(ticket, key("a", 3), {1}, start));
    BOOST_TEST(!find(cache, key("a")).has_value());
    BOOST_TEST(cache.counters().dropped_fills == 2);
    BOOST_TEST(fill(cache, key("a"), 2));
}

BOOST_AUTO_TEST_CASE(a_fill_that_a_clearing_overtook_is_dropped) {
    number_lru cache(100'000, life);
    const auto ticket = cache.begin_fill(key("a"));
    cache.clear();
    BOOST_TEST(!cache.complete_fill(ticket, key("a"), {1}, start));
    BOOST_TEST(!find(cache, key("a")).has_value());
}

BOOST_AUTO_TEST_CASE(clearing_leaves_nothing_but_the_index) {
    number_lru cache(1'000'000, life);
    const auto empty = cache.counters().bytes;
    const auto count = fill_up(cache);
    for (std::uint64_t n = 0; n < count; n += 3)
        find(cache, key(name(n)));
    cache.clear();
    BOOST_TEST(cache.counters().bytes == empty);
    BOOST_TEST(cache.counters().entries == 0);
    BOOST_TEST(cache.counters().erasures == count);
    BOOST_TEST(fill_up(cache) == count);
}

BOOST_AUTO_TEST_CASE(hits_misses_and_fills_are_counted_exactly) {
    number_lru cache(1'000'000, life);
    for (std::uint64_t n = 0; n < 100; ++n)
        fill(cache, key(name(n)), n);
    for (std::uint64_t n = 0; n < 1'000; ++n)
        find(cache, key(name(n)));
    BOOST_TEST(cache.counters().fills == 100);
    BOOST_TEST(cache.counters().hits == 100);
    BOOST_TEST(cache.counters().misses == 900);
    BOOST_TEST(cache.counters().entries == 100);
}

BOOST_AUTO_TEST_SUITE_END()
