// SPDX-License-Identifier: Apache-2.0
#include "images/byte_budget.hpp"

#include "await.hpp"
#include "boost_test.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

using namespace gallery;
using images::byte_budget;
using test::await;

namespace {

const tenant_id one_tenant{random_uuid()};
const tenant_id another_tenant{random_uuid()};

}  // namespace

BOOST_AUTO_TEST_SUITE(byte_budgets)

BOOST_AUTO_TEST_CASE(a_lease_counts_until_it_is_gone) {
    byte_budget budget(100, std::chrono::seconds(0));
    {
        auto first = await(budget.acquire(one_tenant, 60)).value();
        BOOST_TEST(budget.in_use() == 60U);
        auto moved = std::move(first);
        BOOST_TEST(budget.in_use() == 60U);
        moved.shrink(10);
        BOOST_TEST(budget.in_use() == 10U);
    }
    BOOST_TEST(budget.in_use() == 0U);
}

BOOST_AUTO_TEST_CASE(who_does_not_fit_is_told_so_after_the_patience) {
    byte_budget budget(100, std::chrono::seconds(0));
    const auto first = await(budget.acquire(one_tenant, 60)).value();
    const auto second = await(budget.acquire(another_tenant, 60));
    BOOST_REQUIRE(second.has_error());
    BOOST_TEST((second.error().code == errc::busy));
    BOOST_TEST(budget.waiting() == 0U);
    BOOST_TEST(budget.in_use() == 60U);
}

BOOST_AUTO_TEST_CASE(one_that_is_larger_than_the_budget_is_let_in_alone) {
    byte_budget budget(10, std::chrono::seconds(0));
    const auto large = await(budget.acquire(one_tenant, 1000)).value();
    BOOST_TEST(budget.in_use() == 1000U);
    BOOST_TEST(await(budget.acquire(one_tenant, 1)).has_error());
    BOOST_TEST(await(budget.acquire(another_tenant, 1)).has_error());
}

BOOST_AUTO_TEST_CASE(a_tenant_leaves_a_quarter_to_the_others) {
    byte_budget budget(100, std::chrono::seconds(0));
    auto first = await(budget.acquire(one_tenant, 70)).value();
    BOOST_TEST(await(budget.acquire(one_tenant, 6)).has_error());
    const auto second = await(budget.acquire(one_tenant, 5)).value();
    const auto other = await(budget.acquire(another_tenant, 25)).value();
    BOOST_TEST(budget.in_use() == 100U);
    first.shrink(60);
    BOOST_TEST(await(budget.acquire(one_tenant, 10)).has_value());
}

BOOST_AUTO_TEST_CASE(one_that_is_larger_than_a_tenants_part_is_let_in_when_that_has_nothing_else) {
    byte_budget budget(100, std::chrono::seconds(0));
    const auto other = await(budget.acquire(another_tenant, 10)).value();
    {
        const auto small = await(budget.acquire(one_tenant, 1)).value();
        BOOST_TEST(await(budget.acquire(one_tenant, 80)).has_error());
    }
    BOOST_TEST(await(budget.acquire(one_tenant, 80)).has_value());
}

BOOST_AUTO_TEST_CASE(who_waits_for_the_tenants_part_holds_up_that_tenant_alone) {
    asio::io_context context;
    byte_budget budget(100, std::chrono::seconds(1000));
    std::vector<int> order;
    const auto one = [&](int number, tenant_id owner, std::uint64_t size) -> task<> {
        const auto lease = co_await budget.acquire(owner, size);
        BOOST_TEST(lease.has_value());
        order.push_back(number);
        co_await asio::post(use_task);  // lets the others try
        co_await asio::post(use_task);
    };
    asio::co_spawn(context, one(0, one_tenant, 70), asio::detached);
    asio::co_spawn(context, one(1, one_tenant, 30), asio::detached);
    asio::co_spawn(context, one(2, one_tenant, 1), asio::detached);
    asio::co_spawn(context, one(3, another_tenant, 20), asio::detached);
    context.run();
    BOOST_TEST(order == (std::vector<int>{0, 3, 1, 2}), boost::test_tools::per_element());
    BOOST_TEST(budget.in_use() == 0U);
}

BOOST_AUTO_TEST_CASE(those_who_wait_are_let_in_in_order_and_the_bound_holds) {
    asio::io_context context;
    byte_budget budget(100, std::chrono::seconds(1000));
    std::vector<int> order;
    std::uint64_t most = 0;
    const auto one = [&](int number, std::uint64_t size) -> task<> {
        const auto lease = co_await budget.acquire(tenant_id{random_uuid()}, size);
        BOOST_TEST(lease.has_value());
        order.push_back(number);
        most = std::max(most, budget.in_use());
        co_await asio::post(use_task);  // lets the others try
        co_await asio::post(use_task);
    };
    const std::uint64_t sizes[] = {80, 50, 10, 90, 20, 100, 1};
    for (int i = 0; i < 7; ++i)
        asio::co_spawn(context, one(i, sizes[i]), asio::detached);
    context.run();
    BOOST_TEST(order == (std::vector<int>{0, 1, 2, 3, 4, 5, 6}), boost::test_tools::per_element());
    BOOST_TEST(most <= 100U);
    BOOST_TEST(budget.in_use() == 0U);
}

BOOST_AUTO_TEST_CASE(who_waits_when_the_budget_stops_is_answered_and_so_is_who_comes_later) {
    asio::io_context context;
    byte_budget budget(100, std::chrono::seconds(1000));
    {
        const auto all = await(budget.acquire(one_tenant, 100)).value();
        int answered = 0;
        const auto one = [&]() -> task<> {
            const auto got = co_await budget.acquire(another_tenant, 1);
            BOOST_TEST_REQUIRE(got.has_error());
            BOOST_TEST((got.error().code == errc::unavailable));
            ++answered;
        };
        asio::co_spawn(context, one(), asio::detached);
        asio::co_spawn(context, one(), asio::detached);
        context.poll();
        BOOST_TEST(budget.waiting() == 2U);
        std::thread([&] { budget.stop(); }).join();
        BOOST_TEST(budget.waiting() == 0U);
        context.run();  // not for 1000 s: nobody's patience is measured any more
        BOOST_TEST(answered == 2);
        BOOST_TEST((await(budget.acquire(another_tenant, 0)).error().code == errc::unavailable));
        BOOST_TEST(budget.in_use() == 100U);
    }
    BOOST_TEST(budget.in_use() == 0U);
}

// Some give up at the moment at which another thread lets them in.
BOOST_AUTO_TEST_CASE(who_is_let_in_while_giving_up_gets_one_answer_and_no_byte_is_lost) {
    constexpr unsigned threads = 4;
    constexpr unsigned each = 500;
    byte_budget budget(100, std::chrono::seconds(0));
    std::atomic<unsigned> let_in = 0;
    std::atomic<unsigned> gave_up = 0;
    std::atomic<std::uint64_t> most = 0;
    const auto one = [&](std::uint64_t size) -> task<> {
        const auto lease = co_await budget.acquire(tenant_id{random_uuid()}, size);
        if (!lease) {
            if (lease.error().code == errc::busy) ++gave_up;
            co_return;
        }
        ++let_in;
        const auto now = budget.in_use();
        for (auto known = most.load(); known < now && !most.compare_exchange_weak(known, now);) {
        }
        co_await asio::post(use_task);
    };
    std::array<asio::io_context, threads> contexts;  // each outlives all threads, which post to it
    std::vector<std::thread> all;
    for (auto& context : contexts)
        all.emplace_back([&] {
            for (unsigned i = 0; i < each; ++i)
                asio::co_spawn(context, one(30 + i % 60), asio::detached);
            context.run();
        });
    for (auto& thread : all)
        thread.join();
    BOOST_TEST(let_in + gave_up == threads * each);
    BOOST_TEST(let_in > 0U);
    BOOST_TEST(gave_up > 0U);
    BOOST_TEST(most <= 100U);
    BOOST_TEST(budget.in_use() == 0U);
    BOOST_TEST(budget.waiting() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
