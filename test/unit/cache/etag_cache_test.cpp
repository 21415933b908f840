// SPDX-License-Identifier: Apache-2.0
#include "cache/etag_cache.hpp"

#include "boost_test.hpp"
#include "counting_new.hpp"

#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

using namespace gallery;
using namespace gallery::cache;
using namespace std::chrono_literals;

namespace {

constexpr etag_cache::time_point start{std::chrono::hours{1000}};
constexpr tenant_id tenant{{1, 2, 3}};
constexpr tenant_id other_tenant{{1, 2, 4}};
constexpr auto original = representation::original;
constexpr auto preview = representation::preview;

bool fill(etag_cache& cache, const etag_key& key, revision rev) {
    return cache.complete_fill(cache.begin_fill(key), key, {.revision = rev}, start);
}

revision found(etag_cache& cache, const etag_key& key) {
    const auto entry = cache.find(key, start);
    return entry ? entry->revision : 0;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(etags)

BOOST_AUTO_TEST_CASE(a_hit_returns_all_that_was_kept) {
    etag_cache cache(100'000, 60min);
    etag_entry entry{.coded = content_coding::brotli, .flags = 0xdeadbeef, .revision = 17};
    entry.digest.fill(std::byte{0xab});
    const auto key = etag_key::image(tenant, "cat.svg", original, content_coding::brotli);
    BOOST_TEST(cache.complete_fill(cache.begin_fill(key), key, entry, start));
    BOOST_TEST((cache.find(key, start) == entry));
}

BOOST_AUTO_TEST_CASE(each_tenant_representation_and_coding_has_its_own_entry) {
    etag_cache cache(100'000, 60min);
    const std::string public_key(32, 'p');
    std::vector<etag_key> keys;
    for (const auto which : {original, preview})
        for (const auto coded : {content_coding::identity, content_coding::gzip, content_coding::brotli}) {
            keys.push_back(etag_key::image(tenant, "a", which, coded));
            keys.push_back(etag_key::image(other_tenant, "a", which, coded));
            keys.push_back(etag_key::image(tenant, "b", which, coded));
            keys.push_back(etag_key::image(tenant_id{}, public_key, which, coded));
            keys.push_back(etag_key::link(public_key, which, coded));
        }
    for (std::size_t i = 0; i < keys.size(); ++i)
        fill(cache, keys[i], i + 1);
    for (std::size_t i = 0; i < keys.size(); ++i)
        BOOST_TEST(found(cache, keys[i]) == i + 1);
}

BOOST_AUTO_TEST_CASE(invalidating_an_image_takes_its_representations_and_codings_and_nothing_else) {
    etag_cache cache(100'000, 60min);
    for (const auto which : {original, preview})
        for (const auto coded : {content_coding::identity, content_coding::gzip, content_coding::brotli}) {
            fill(cache, etag_key::image(tenant, "a", which, coded), 1);
            fill(cache, etag_key::image(tenant, "b", which, coded), 2);
            fill(cache, etag_key::image(other_tenant, "a", which, coded), 3);
            fill(cache, etag_key::link("a", which, coded), 4);
        }
    cache.invalidate(tenant, "a");
    for (const auto which : {original, preview})
        for (const auto coded : {content_coding::identity, content_coding::gzip, content_coding::brotli}) {
            BOOST_TEST(found(cache, etag_key::image(tenant, "a", which, coded)) == 0);
            BOOST_TEST(found(cache, etag_key::image(tenant, "b", which, coded)) == 2);
            BOOST_TEST(found(cache, etag_key::image(other_tenant, "a", which, coded)) == 3);
            BOOST_TEST(found(cache, etag_key::link("a", which, coded)) == 4);
        }
    cache.invalidate_public("a");
    BOOST_TEST(found(cache, etag_key::link("a", preview, content_coding::gzip)) == 0);
    BOOST_TEST(cache.counters().erasures == 12);
}

BOOST_AUTO_TEST_CASE(a_fill_that_raced_a_write_is_dropped_in_every_representation) {
    etag_cache cache(100'000, 60min);
    const auto image = etag_key::image(tenant, "a", original);
    const auto link = etag_key::link("public", original);
    const auto image_ticket = cache.begin_fill(image);
    const auto link_ticket = cache.begin_fill(link);
    cache.invalidate(tenant, "a");
    cache.invalidate_public("public");
    BOOST_TEST(!cache.complete_fill(image_ticket, image, {}, start));
    BOOST_TEST(!cache.complete_fill(image_ticket, etag_key::image(tenant, "a", preview), {}, start));
    BOOST_TEST(!cache.complete_fill(link_ticket, link, {}, start));
    BOOST_TEST(!cache.find(image, start).has_value());
    BOOST_TEST(!cache.find(link, start).has_value());
    BOOST_TEST(cache.counters().dropped_fills == 3);
}

BOOST_AUTO_TEST_CASE(a_fill_from_before_lost_history_is_dropped) {
    etag_cache cache(100'000, 60min);
    const auto key = etag_key::image(tenant, "a", original);
    fill(cache, key, 1);
    const auto ticket = cache.begin_fill(key);
    cache.clear();
    BOOST_TEST(!cache.complete_fill(ticket, key, {.revision = 1}, start));
    BOOST_TEST(found(cache, key) == 0);
}

BOOST_AUTO_TEST_CASE(zero_disables) {
    etag_cache cache(0, 60min);
    const auto key = etag_key::image(tenant, "a", original);
    BOOST_TEST(!cache.enabled());
    BOOST_TEST(!fill(cache, key, 1));
    BOOST_TEST(found(cache, key) == 0);
}

BOOST_AUTO_TEST_CASE(an_entry_expires_so_many_minutes_after_its_use) {
    etag_cache cache(100'000, 60min);
    const auto key = etag_key::image(tenant, "a", original);
    fill(cache, key, 1);
    BOOST_TEST(cache.find(key, start + 59min).has_value());
    BOOST_TEST(cache.find(key, start + 118min).has_value());
    BOOST_TEST(cache.sweep(start + 177min) == 0);
    BOOST_TEST(cache.sweep(start + 178min) == 1);
}

BOOST_AUTO_TEST_CASE(another_size_begins_empty_and_counts_on) {
    etag_cache cache(100'000, 60min);
    const auto key = etag_key::image(tenant, "a", original);
    fill(cache, key, 1);
    BOOST_TEST(found(cache, key) == 1);
    const auto before = cache.counters();
    cache.replace(cache.prepare(8'192, 5min));
    BOOST_TEST(found(cache, key) == 0);
    BOOST_TEST(cache.counters().hits == before.hits);
    BOOST_TEST(cache.counters().fills == before.fills);
    BOOST_TEST(cache.counters().entries == 0);
    cache.release_replaced();
    BOOST_TEST(cache.counters().hits == before.hits);
    BOOST_TEST(cache.counters().bytes < before.bytes);
    BOOST_TEST(fill(cache, key, 2));
    BOOST_TEST(cache.find(key, start + 4min).has_value());
    BOOST_TEST(!cache.find(key, start + 10min).has_value());
    // Off, and on again.
    cache.replace(cache.prepare(0, 5min));
    cache.release_replaced();
    BOOST_TEST(!cache.enabled());
    cache.replace(cache.prepare(8'192, 5min));
    cache.release_replaced();
    BOOST_TEST(fill(cache, key, 3));
}

BOOST_AUTO_TEST_CASE(a_fill_that_began_with_another_memory_is_dropped) {
    const auto key = etag_key::image(tenant, "a", original);
    for (const std::size_t first_size : {std::size_t{100'000}, std::size_t{0}}) {
        etag_cache cache(first_size, 60min);
        const auto ticket = cache.begin_fill(key);
        cache.replace(cache.prepare(100'000, 60min));
        BOOST_TEST(!cache.complete_fill(ticket, key, {.revision = 1}, start));
        // And one that began with the new memory before everybody had left the former one.
        const auto early = cache.begin_fill(key);
        BOOST_TEST(fill(cache, etag_key::image(tenant, "b", original), 1));
        cache.release_replaced();
        BOOST_TEST(!cache.complete_fill(early, key, {.revision = 1}, start));
        BOOST_TEST(found(cache, etag_key::image(tenant, "b", original)) == 0);
    }
}

BOOST_AUTO_TEST_CASE(a_hit_allocates_nothing) {
    etag_cache cache(100'000, 60min);
    const std::string long_key(200, 'k');
    fill(cache, etag_key::image(tenant, long_key, original), 1);
    test::counting::reset();
    {
        const test::counting on;
        for (int i = 0; i < 1'000; ++i)
            (void)cache.find(etag_key::image(tenant, long_key, original), start);
    }
    BOOST_TEST(test::counting::allocations() == 0);
    BOOST_TEST(cache.counters().hits == 1'000);
}

BOOST_AUTO_TEST_CASE(a_replaced_image_is_never_not_modified) {
    // Writers commit a revision, invalidate, acknowledge; readers fill the cache from what they read.
    // Whatever is acknowledged before a look-up begins, the look-up never finds anything older.
    constexpr std::size_t image_count = 4;
    constexpr int writes = 4'000;
    struct image {
        std::atomic<revision> stored{1};
        std::atomic<revision> acknowledged{1};
        std::string key;
        std::string public_key;
    };
    std::array<image, image_count> images;
    for (std::size_t i = 0; i < image_count; ++i) {
        images[i].key = "image " + std::to_string(i);
        images[i].public_key = std::string(32, static_cast<char>('a' + i));
    }
    etag_cache cache(20'000, 60min);
    std::atomic<bool> done{false};
    std::atomic<int> stale{0};

    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t)
        threads.emplace_back([&, t] {
            for (std::size_t i = static_cast<std::size_t>(t); !done.load(); ++i) {
                auto& one = images[i % image_count];
                const auto which = i % 3 == 0 ? preview : original;
                const auto key = i % 2 == 0 ? etag_key::image(tenant, one.key, which)
                                            : etag_key::link(one.public_key, which);
                const auto acknowledged = one.acknowledged.load();
                if (const auto known = cache.find(key, start)) {
                    if (known->revision < acknowledged) ++stale;
                } else {
                    const auto ticket = cache.begin_fill(key);
                    const auto read = one.stored.load();
                    if (i % 5 == 0) std::this_thread::yield();  // time for a write to come in between
                    cache.complete_fill(ticket, key, {.revision = read}, start);
                }
            }
        });
    std::thread writer([&] {
        for (int w = 0; w < writes; ++w) {
            auto& one = images[static_cast<std::size_t>(w) % image_count];
            const auto next = one.stored.load() + 1;
            one.stored = next;
            cache.invalidate(tenant, one.key);
            cache.invalidate_public(one.public_key);
            one.acknowledged = next;
            if (w % 500 == 0) cache.clear();
            if (w % 3 == 0) std::this_thread::yield();
        }
        done = true;
    });
    writer.join();
    for (auto& thread : threads)
        thread.join();
    BOOST_TEST(stale.load() == 0);
    // And at rest, too.
    for (auto& one : images)
        for (const auto which : {original, preview}) {
            const auto last = one.acknowledged.load();
            const auto by_key = found(cache, etag_key::image(tenant, one.key, which));
            BOOST_TEST((by_key == 0 || by_key == last));
            const auto by_link = found(cache, etag_key::link(one.public_key, which));
            BOOST_TEST((by_link == 0 || by_link == last));
        }
}

BOOST_AUTO_TEST_SUITE_END()
