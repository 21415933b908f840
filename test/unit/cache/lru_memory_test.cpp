#include "boost_test.hpp"
#include "cache_fixture.hpp"
#include "counting_new.hpp"

#include <atomic>
#include <memory>
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

}  // namespace

BOOST_AUTO_TEST_SUITE(lru_memory)

BOOST_AUTO_TEST_CASE(bytes_are_what_the_allocator_gave_away) {
    const auto texts = names(3'000);
    std::mt19937 random(1);
    std::unique_ptr<number_lru> cache;
    counting::reset();
    {
        const counting on;
        cache = std::make_unique<number_lru>(200'000, life);
    }
    BOOST_TEST(counting::live() == static_cast<std::int64_t>(cache->counters().bytes));
    for (int i = 0; i < 60'000; ++i) {
        const auto k = key(texts[random() % texts.size()], static_cast<std::uint8_t>(random() % 3));
        {
            const counting on;
            if (i % 7 == 0) cache->erase(k);
            if (i % 3 == 0)
                (void)cache->find(k, start);
            else
                fill(*cache, k, 1);
        }
        BOOST_REQUIRE(counting::live() == static_cast<std::int64_t>(cache->counters().bytes));
    }
    BOOST_TEST(cache->counters().evictions > 1'000);
    BOOST_TEST(counting::peak() <= 200'000);
    {
        const counting on;
        cache.reset();
    }
    BOOST_TEST(counting::live() == 0);
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
    counting::reset();
    {
        const counting on;
        number_lru cache(0, life);
        fill(cache, key("a"), 1);
        (void)cache.find(key("a"), start);
        cache.clear();
    }
    // The object itself is aligned to cache lines and lies on the stack here.
    BOOST_TEST(counting::allocations() == 0);
}

BOOST_AUTO_TEST_CASE(the_bound_is_never_exceeded_while_threads_hammer) {
    constexpr std::size_t bound = 60'000;
    const auto texts = names(2'000);
    std::unique_ptr<number_lru> cache;
    counting::reset();
    {
        const counting on;
        cache = std::make_unique<number_lru>(bound, life);
    }
    std::atomic<std::uint64_t> above{0};
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            std::minstd_rand random(t + 1);
            const counting on;
            for (int i = 0; i < 30'000; ++i) {
                const auto k = key(texts[random() % texts.size()]);
                const auto what = random() % 100;
                if (what < 50)
                    (void)cache->find(k, start);
                else if (what < 98)
                    fill(*cache, k, 1);
                else
                    cache->erase(k);
                if (cache->counters().bytes > bound) ++above;
            }
            if (t == 0) cache->clear();
        });
    for (auto& thread : threads)
        thread.join();
    BOOST_TEST(above.load() == 0);
    BOOST_TEST(counting::peak() <= static_cast<std::int64_t>(bound));
    BOOST_TEST(counting::live() == static_cast<std::int64_t>(cache->counters().bytes));
}

BOOST_AUTO_TEST_SUITE_END()
