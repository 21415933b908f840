// SPDX-License-Identifier: Apache-2.0
#define GALLERY_TEST_MODULE "kit"
// What engines share, where the contract suite does not reach it.
#include <gallery/kit/byte_gate.hpp>
#include <gallery/kit/byte_lru.hpp>
#include <gallery/kit/lanes.hpp>
#include <gallery/kit/usage_book.hpp>

#include "boost_test.hpp"

#include <boost/asio/co_spawn.hpp>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace gallery;

namespace {

/// Runs coroutines on so many threads until all have ended.
void run_all(asio::io_context& context, std::vector<std::function<task<void>()>> works, unsigned threads) {
    for (auto& work : works)
        asio::co_spawn(context.get_executor(), work(), [](std::exception_ptr thrown) {
            if (thrown) std::rethrow_exception(thrown);
        });
    std::vector<std::jthread> all;
    for (unsigned i = 0; i < threads; ++i)
        all.emplace_back([&] { context.run(); });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(kit)

BOOST_AUTO_TEST_CASE(a_lane_is_held_by_one_at_a_time_and_several_lanes_never_wait_for_each_other) {
    gallery::kit::lanes lanes;
    const std::vector<std::string> names = {"a", "b", "c"};
    std::array<std::atomic<int>, 3> holders{};
    std::atomic<int> wrong = 0;
    std::atomic<int> done = 0;
    asio::io_context context;  // outlives the pool, whose threads post to it
    asio::thread_pool pool{2};
    std::vector<std::function<task<void>()>> works;
    for (unsigned w = 0; w < 12; ++w)
        works.emplace_back([&, w]() -> task<void> {
            for (unsigned i = 0; i < 20; ++i) {
                // In every order, and one of them twice.
                const std::array<unsigned, 2> mine = {(w + i) % 3, (w + 2 * i + 1) % 3};
                std::vector<std::string> wanted = {names[mine[0]], names[mine[1]], names[mine[0]]};
                const auto held = co_await lanes.acquire_all(std::move(wanted));
                for (const auto n : mine)
                    if (mine[0] != mine[1] && holders[n].fetch_add(1) != 0) ++wrong;
                auto elsewhere = [] { return 0; };
                (void)co_await offload(pool, std::move(elsewhere));
                for (const auto n : mine)
                    if (mine[0] != mine[1]) --holders[n];
            }
            ++done;
        });
    run_all(context, std::move(works), 3);
    BOOST_TEST(wrong == 0);
    BOOST_TEST(done == 12);
    pool.join();
}

BOOST_AUTO_TEST_CASE(a_gate_bounds_the_bytes_in_progress_and_lets_a_giant_pass_alone) {
    constexpr std::uint64_t unit = 1024 * 1024;
    gallery::kit::byte_gate gate(4 * unit);
    asio::io_context context;  // outlives the pool, whose threads post to it
    asio::thread_pool pool{8};
    std::atomic<std::uint64_t> bytes = 0;
    std::atomic<std::uint64_t> most = 0;
    std::atomic<int> done = 0;
    std::vector<std::function<task<void>()>> works;
    for (unsigned w = 0; w < 24; ++w)
        works.emplace_back([&, w]() -> task<void> {
            const std::uint64_t size = w == 7 ? 9 * unit : (1 + w % 3) * unit;
            auto work = [&, size] {
                const auto now = bytes.fetch_add(size) + size;
                for (auto seen = most.load(); seen < now && !most.compare_exchange_weak(seen, now);) {
                }
                std::this_thread::yield();
                // Alone, or within the limit.
                const bool fits = now <= 4 * unit || now == size;
                bytes -= size;
                return fits;
            };
            const bool fits = co_await gallery::kit::offload_through(gate, pool, size, std::move(work));
            if (fits) ++done;
        });
    run_all(context, std::move(works), 2);
    BOOST_TEST(done == 24);
    BOOST_TEST(most == 9 * unit);
    BOOST_TEST(gate.waiting() == 0U);
    pool.join();
}

BOOST_AUTO_TEST_CASE(small_work_passes_a_gate_that_is_full) {
    gallery::kit::byte_gate gate(1);
    asio::io_context context{1};
    bool passed = false;
    bool waited = false;
    const auto holder = [&]() -> task<void> {
        auto lease = co_await gate.enter(1024 * 1024);
        const auto small = co_await gate.enter(gallery::kit::byte_gate::small);
        passed = true;
        waited = gate.waiting() == 0;
        lease = gallery::kit::byte_gate::lease();
    };
    asio::co_spawn(context.get_executor(), holder(), [](std::exception_ptr) {});
    context.run();
    BOOST_TEST(passed);
    BOOST_TEST(waited);
}

BOOST_AUTO_TEST_CASE(a_charge_that_is_not_committed_gives_back_what_it_reserved) {
    using gallery::kit::usage_book;
    usage_book book;
    const tenant_id tenant{random_uuid()};
    usage_book::difference one;
    one.added.images = {1, 100, 10};
    const usage_limit limit{1, 100};
    {
        const auto first = book.take(tenant, one, limit);
        BOOST_TEST(first.has_value());
        BOOST_TEST(!book.take(tenant, one, limit).has_value());
        // Reserved is not used.
        BOOST_TEST((book.usage(tenant) == tenant_usage{}));
    }
    auto again = book.take(tenant, one, limit);
    BOOST_TEST_REQUIRE(again.has_value());
    again->commit();
    BOOST_TEST((book.usage(tenant) == tenant_usage{{1, 100, 10}, {}}));
    BOOST_TEST((book.usage(std::nullopt) == tenant_usage{{1, 100, 10}, {}}));
    BOOST_TEST(!book.take(tenant, one, limit).has_value());
    // What a write takes away makes room only when it is committed.
    usage_book::difference removal;
    removal.removed.images = {1, 100, 10};
    auto going = book.take(tenant, removal, usage_limit{});
    BOOST_TEST(!book.take(tenant, one, limit).has_value());
    going->commit();
    BOOST_TEST(book.take(tenant, one, limit).has_value());
    BOOST_TEST((book.usage(std::nullopt) == tenant_usage{}));
}

BOOST_AUTO_TEST_CASE(an_entry_that_was_erased_while_it_was_loaded_is_not_cached) {
    gallery::kit::byte_lru<std::string, std::shared_ptr<int>, std::hash<std::string>> cache(10'000);
    const auto before = cache.generation("a");
    cache.erase("a");
    cache.put("a", std::make_shared<int>(1), 10, before);
    BOOST_TEST(!cache.find("a").has_value());
    cache.put("a", std::make_shared<int>(2), 10, cache.generation("a"));
    BOOST_TEST(**cache.find("a") == 2);
    for (int i = 0; i < 200; ++i) {
        const auto key = "k" + std::to_string(i);
        cache.put(key, std::make_shared<int>(i), 500, cache.generation(key));
        BOOST_TEST(cache.statistics().bytes <= 10'000U);
    }
    BOOST_TEST(cache.statistics().evictions > 0U);
    BOOST_TEST(cache.find("k199").has_value());
    BOOST_TEST(!cache.find("k0").has_value());
}

BOOST_AUTO_TEST_CASE(a_cache_with_a_lower_bound_evicts_at_once_the_least_recently_used) {
    gallery::kit::byte_lru<std::string, std::shared_ptr<int>, std::hash<std::string>> cache(100'000);
    for (int i = 0; i < 100; ++i) {
        const auto key = "k" + std::to_string(i);
        cache.put(key, std::make_shared<int>(i), 500, cache.generation(key));
    }
    BOOST_TEST(cache.statistics().entries == 100U);
    cache.set_bound(10'000);
    BOOST_TEST(cache.statistics().bytes <= 10'000U);
    BOOST_TEST(cache.find("k99").has_value());
    BOOST_TEST(!cache.find("k0").has_value());
    cache.set_bound(0);
    BOOST_TEST(cache.statistics().entries == 0U);
    cache.put("a", std::make_shared<int>(1), 0, cache.generation("a"));
    BOOST_TEST(!cache.find("a").has_value());
    cache.set_bound(1'000);
    cache.put("a", std::make_shared<int>(1), 500, cache.generation("a"));
    BOOST_TEST(cache.find("a").has_value());
}

BOOST_AUTO_TEST_SUITE_END()
