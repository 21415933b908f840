// SPDX-License-Identifier: Apache-2.0
#include "boost_test.hpp"
#include "cache_fixture.hpp"

#include <atomic>
#include <barrier>
#include <list>
#include <random>
#include <thread>
#include <vector>

using namespace gallery::cache;
using namespace gallery::cache::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t bound = 40'000;

/// Adds entries until @p count have been evicted.
void evict(number_lru& cache, std::uint64_t count) {
    static std::uint64_t added = 1'000'000;
    const auto before = cache.counters().evictions;
    while (cache.counters().evictions - before < count)
        fill(cache, key(name(++added)), 0);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(lru_threads)

BOOST_AUTO_TEST_CASE(uses_by_several_threads_in_turn_keep_their_exact_order) {
    number_lru cache(bound, life);
    const auto count = fill_up(cache);
    std::list<std::uint64_t> order;  // least recently used first
    for (std::uint64_t n = 0; n < count; ++n)
        order.push_back(n);

    // Each thread waits for its turn, so the order of uses is known; the runs differ in length, so that the
    // threads' logs are of different ages when they are worked off.
    constexpr unsigned thread_count = 4;
    std::mt19937 random(3);
    struct use {
        unsigned thread;
        std::uint64_t n;
    };
    std::vector<use> uses;
    for (int i = 0; i < 3'000; ++i) {
        const auto n = random() % count;
        uses.push_back({static_cast<unsigned>(random() % 7 % thread_count), n});
        order.remove(n);
        order.push_back(n);
    }
    std::atomic<std::size_t> turn{0};
    std::atomic<int> missed{0};
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < thread_count; ++t)
        threads.emplace_back([&, t] {
            for (std::size_t i; (i = turn.load()) < uses.size();) {
                if (uses[i].thread != t) {
                    turn.wait(i);
                    continue;
                }
                if (!find(cache, key(name(uses[i].n)))) ++missed;
                ++turn;
                turn.notify_all();
            }
        });
    for (auto& thread : threads)
        thread.join();
    BOOST_TEST(missed.load() == 0);

    for (const auto expected : order) {
        evict(cache, 1);
        BOOST_REQUIRE_MESSAGE(cache.erase(key(name(expected))) == 0, expected << " should have been evicted");
    }
}

BOOST_AUTO_TEST_CASE(what_any_thread_used_later_is_evicted_later) {
    number_lru cache(bound, life);
    const auto count = fill_up(cache);
    // First all use the odd ones, then all the even ones; within a phase the threads race.
    constexpr int thread_count = 4;
    std::barrier phase(thread_count);
    std::vector<std::thread> threads;
    for (int t = 0; t < thread_count; ++t)
        threads.emplace_back([&] {
            for (const std::uint64_t first : {1, 0}) {
                phase.arrive_and_wait();
                for (std::uint64_t n = first; n < count; n += 2)
                    (void)find(cache, key(name(n)));
            }
        });
    for (auto& thread : threads)
        thread.join();
    const auto odd = count / 2;
    evict(cache, odd);
    for (std::uint64_t n = 0; n < count; ++n)
        BOOST_TEST(cache.erase(key(name(n))) == (n % 2 == 0 ? 1U : 0U));
}

BOOST_AUTO_TEST_CASE(nothing_is_lost_or_counted_twice_while_threads_hammer) {
    number_lru cache(bound, life);
    const auto empty = cache.counters().bytes;
    constexpr unsigned thread_count = 4;
    constexpr int rounds = 30'000;
    std::vector<std::string> texts;
    for (std::uint64_t n = 0; n < 600; ++n)
        texts.push_back(name(n, 10 + n % 50));
    std::atomic<std::uint64_t> finds{0};
    std::atomic<std::uint64_t> wrong{0};
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < thread_count; ++t)
        threads.emplace_back([&, t] {
            std::minstd_rand random(t + 1);
            auto now = start;
            for (int i = 0; i < rounds; ++i) {
                const auto n = random() % (1 + random() % texts.size());
                const auto k = key(texts[n]);
                now += 1s;
                switch (random() % 64) {
                    case 0:
                        cache.erase(k);
                        break;
                    case 1:
                        cache.sweep(now);
                        break;
                    case 2:
                        if (random() % 50 == 0) cache.clear();
                        break;
                    default:
                        ++finds;
                        if (const auto found = find(cache, k, now)) {
                            if (*found != n) ++wrong;
                        } else {
                            fill(cache, k, n, now);
                        }
                }
            }
        });
    for (auto& thread : threads)
        thread.join();
    BOOST_TEST(wrong.load() == 0);
    const auto counters = cache.counters();
    BOOST_TEST(counters.hits + counters.misses == finds.load());
    BOOST_TEST(counters.bytes <= bound);
    cache.clear();
    BOOST_TEST(cache.counters().bytes == empty);
    BOOST_TEST(cache.counters().entries == 0);
}

BOOST_AUTO_TEST_CASE(more_threads_than_logs_share_them) {
    number_lru cache(bound, life);
    const auto count = fill_up(cache);
    std::atomic<std::uint64_t> missed{0};
    for (int generation = 0; generation < 4; ++generation) {
        std::vector<std::thread> threads;
        for (int t = 0; t < 24; ++t)
            threads.emplace_back([&] {
                for (std::uint64_t n = 0; n < count; ++n)
                    if (!find(cache, key(name(n)))) ++missed;
            });
        for (auto& thread : threads)
            thread.join();
    }
    BOOST_TEST(missed.load() == 0);
    BOOST_TEST(cache.counters().hits == 4 * 24 * count);
    evict(cache, count);
    for (std::uint64_t n = 0; n < count; ++n)
        BOOST_TEST(cache.erase(key(name(n))) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
