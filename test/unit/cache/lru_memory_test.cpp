// SPDX-License-Identifier: Apache-2.0
#include "boost_test.hpp"
#include "cache_fixture.hpp"
#include "counting_new.hpp"

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <random>
#include <thread>
#include <vector>

using namespace gallery::cache;
using namespace gallery::cache::test;

namespace {

std::vector<std::string> names(std::size_t count) {
    std::vector<std::string> all;
    for (std::size_t n = 0; n < count; ++n)
        all.push_back(name(n, 8 + n * 13 % 240));
    return all;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

/// Bytes that this process has mapped, as the kernel counts them.
std::size_t address_space() {
    std::size_t pages = 0;
    if (auto* const file = std::fopen("/proc/self/statm", "r")) {
        if (std::fscanf(file, "%zu", &pages) != 1) pages = 0;
        std::fclose(file);
    }
    return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(lru_memory)

BOOST_AUTO_TEST_CASE(all_memory_is_one_mapping_no_larger_than_the_bound) {
    const auto texts = names(3'000);
    for (const std::size_t bound : {5'000, 300'000, 2'097'152, 10'000'000}) {
        std::mt19937 random(1);
        lru_counters counters;
        counting::reset();
        const auto before = address_space();
        std::size_t mapped = 0;
        std::size_t mapped_after_use = 0;
        {
            // The cache on the stack, so that what operator new gave away would be for entries.
            const counting on;
            number_lru cache(bound, life);
            mapped = address_space() - before;
            for (int i = 0; i < 60'000; ++i) {
                const auto k = key(texts[random() % texts.size()], static_cast<std::uint8_t>(random() % 60));
                if (i % 7 == 0) cache.erase(k);
                if (i % 3 == 0)
                    (void)cache.find(k, start);
                else
                    fill(cache, k, 1);
            }
            mapped_after_use = address_space() - before;
            counters = cache.counters();
        }
        const auto after = address_space();
        BOOST_TEST(counting::allocations() == 0);
        BOOST_TEST(counters.bytes <= bound);
        BOOST_TEST((bound > 5'000'000 || counters.evictions > 1'000));
        if (sanitized) continue;  // the sanitizer maps memory of its own meanwhile
        BOOST_TEST(mapped <= bound);
        BOOST_TEST(mapped == bound / 4'096 * 4'096);
        BOOST_TEST(mapped_after_use == mapped);
        BOOST_TEST(after == before);
    }
}

BOOST_AUTO_TEST_CASE(bytes_are_the_index_and_what_each_entry_occupies) {
    const auto texts = names(3'000);
    number_lru cache(200'000, life);
    std::mt19937 random(1);
    for (int i = 0; i < 20'000; ++i) {
        const auto k = key(texts[random() % texts.size()]);
        if (i % 7 == 0) cache.erase(k);
        fill(cache, k, 1);
    }
    const auto before = cache.counters();
    std::uint64_t bytes = index_bytes(200'000);
    std::uint64_t entries = 0;
    for (const auto& text : texts)
        if (cache.find(key(text), start)) {
            bytes += occupied(text.size());
            ++entries;
        }
    BOOST_TEST(before.bytes == bytes);
    BOOST_TEST(before.entries == entries);
    BOOST_TEST(before.evictions > 1'000);
    // A key needs no more than its characters and one cell of 128 bytes.
    for (const auto& text : texts)
        BOOST_TEST(occupied(text.size()) <= text.size() + 16 + 2 * 128);
}

BOOST_AUTO_TEST_CASE(a_hit_and_a_miss_allocate_nothing) {
    number_lru cache(1'000'000, life);
    const auto texts = names(1'000);
    for (std::size_t n = 0; n < 500; ++n)
        fill(cache, key(texts[n]), n);
    counting::reset();
    {
        const counting on;
        for (int round = 0; round < 100; ++round)
            for (const auto& text : texts)
                (void)cache.find(key(text), start);
    }
    BOOST_TEST(counting::allocations() == 0);
    BOOST_TEST(cache.counters().hits == 50'000);
}

BOOST_AUTO_TEST_CASE(a_disabled_cache_allocates_nothing) {
    const auto before = address_space();
    counting::reset();
    {
        const counting on;
        number_lru cache(0, life);
        fill(cache, key("a"), 1);
        (void)cache.find(key("a"), start);
        cache.clear();
    }
    BOOST_TEST(counting::allocations() == 0);
    BOOST_TEST((sanitized || address_space() == before));
}

BOOST_AUTO_TEST_CASE(the_bound_is_never_exceeded_while_threads_hammer) {
    constexpr std::size_t bound = 60'000;
    const auto texts = names(2'000);
    number_lru cache(bound, life);
    std::atomic<std::uint64_t> above{0};
    std::vector<std::thread> threads;
    counting::reset();
    for (unsigned t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            std::minstd_rand random(t + 1);
            const counting on;
            for (int i = 0; i < 30'000; ++i) {
                const auto k = key(texts[random() % texts.size()]);
                const auto what = random() % 100;
                if (what < 50)
                    (void)cache.find(k, start);
                else if (what < 98)
                    fill(cache, k, 1);
                else
                    cache.erase(k);
                if (cache.counters().bytes > bound) ++above;
            }
            if (t == 0) cache.clear();
        });
    for (auto& thread : threads)
        thread.join();
    BOOST_TEST(above.load() == 0);
    BOOST_TEST(counting::allocations() == 0);
    // And the account is right, so that what was compared with the bound is what was occupied.
    const auto counters = cache.counters();
    std::uint64_t bytes = index_bytes(bound);
    for (const auto& text : texts)
        if (cache.find(key(text), start)) bytes += occupied(text.size());
    BOOST_TEST(counters.bytes == bytes);
}

BOOST_AUTO_TEST_SUITE_END()
