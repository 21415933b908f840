// SPDX-License-Identifier: Apache-2.0
// The limit on bytes in progress.
#include <gallery/byte_gate.hpp>

#include "await.hpp"
#include "boost_test.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace gallery;
using test::await;

namespace {

using namespace std::chrono_literals;

const tenant_id one_tenant{random_uuid()};
const tenant_id another_tenant{random_uuid()};

}  // namespace

BOOST_AUTO_TEST_SUITE(byte_gates)

BOOST_AUTO_TEST_CASE(a_lease_counts_until_it_is_gone) {
    byte_gate gate({.all = 100, .each_owner = 100 / 4 * 3});
    {
        auto first = await(gate.enter(60, one_tenant, 0ms)).value();
        BOOST_TEST(gate.in_use() == 60U);
        auto moved = std::move(first);
        BOOST_TEST(gate.in_use() == 60U);
        moved.shrink(10);
        BOOST_TEST(gate.in_use() == 10U);
    }
    BOOST_TEST(gate.in_use() == 0U);
}

BOOST_AUTO_TEST_CASE(who_does_not_fit_is_told_so_after_the_patience) {
    byte_gate gate({.all = 100, .each_owner = 100 / 4 * 3});
    const auto first = await(gate.enter(60, one_tenant, 0ms)).value();
    const auto second = await(gate.enter(60, another_tenant, 0ms));
    BOOST_TEST_REQUIRE(second.has_error());
    BOOST_TEST((second.error().code == errc::busy));
    BOOST_TEST(gate.waiting() == 0U);
    BOOST_TEST(gate.in_use() == 60U);
}

BOOST_AUTO_TEST_CASE(one_that_is_larger_than_the_budget_is_let_in_alone) {
    byte_gate gate({.all = 10, .each_owner = 10 / 4 * 3});
    const auto large = await(gate.enter(1000, one_tenant, 0ms)).value();
    BOOST_TEST(gate.in_use() == 1000U);
    BOOST_TEST(!await(gate.enter(1, one_tenant, 0ms)).has_value());
    BOOST_TEST(!await(gate.enter(1, another_tenant, 0ms)).has_value());
}

BOOST_AUTO_TEST_CASE(a_tenant_leaves_a_quarter_to_the_others) {
    byte_gate gate({.all = 100, .each_owner = 100 / 4 * 3});
    auto first = await(gate.enter(70, one_tenant, 0ms)).value();
    BOOST_TEST(!await(gate.enter(6, one_tenant, 0ms)).has_value());
    const auto second = await(gate.enter(5, one_tenant, 0ms)).value();
    const auto other = await(gate.enter(25, another_tenant, 0ms)).value();
    BOOST_TEST(gate.in_use() == 100U);
    first.shrink(60);
    BOOST_TEST(await(gate.enter(10, one_tenant, 0ms)).has_value());
}

BOOST_AUTO_TEST_CASE(one_that_is_larger_than_a_tenants_part_is_let_in_when_that_has_nothing_else) {
    byte_gate gate({.all = 100, .each_owner = 100 / 4 * 3});
    const auto other = await(gate.enter(10, another_tenant, 0ms)).value();
    {
        const auto small = await(gate.enter(1, one_tenant, 0ms)).value();
        BOOST_TEST(!await(gate.enter(80, one_tenant, 0ms)).has_value());
    }
    BOOST_TEST(await(gate.enter(80, one_tenant, 0ms)).has_value());
}

BOOST_AUTO_TEST_CASE(who_waits_for_the_tenants_part_holds_up_that_tenant_alone) {
    asio::io_context context;
    byte_gate gate({.all = 100, .each_owner = 100 / 4 * 3});
    std::vector<int> order;
    const auto one = [&](int number, tenant_id owner, std::uint64_t size) -> task<> {
        const auto lease = co_await gate.enter(size, owner, 1000s);
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
    BOOST_TEST(gate.in_use() == 0U);
}

BOOST_AUTO_TEST_CASE(a_large_one_is_passed_by_small_ones_of_others_up_to_a_quarter) {
    asio::io_context context{1};
    byte_gate gate({.all = 100, .each_owner = 100 / 4 * 3});
    std::vector<std::string> let_in;
    std::vector<byte_gate::lease> held;
    const auto ask = [&](const std::string& name, tenant_id owner, std::uint64_t size) {
        asio::co_spawn(context, gate.enter(size, owner, 1000s),
                       [&, name](std::exception_ptr, result<byte_gate::lease> got) {
                           let_in.push_back(name);
                           held.push_back(std::move(*got));
                       });
        context.restart();
        context.poll();
    };
    const auto nobody = [] { return tenant_id{random_uuid()}; };
    ask("first", one_tenant, 60);
    ask("large", another_tenant, 50);
    ask("small of the first", one_tenant, 1);  // that tenant has something in flight
    ask("small of the large", another_tenant, 1);
    ask("small", nobody(), 10);
    ask("another small", nobody(), 15);
    ask("one too many", nobody(), 1);
    using names = std::vector<std::string>;
    BOOST_TEST(let_in == (names{"first", "small", "another small"}), boost::test_tools::per_element());
    held.front().shrink(20);
    context.restart();
    context.poll();
    BOOST_TEST(let_in.size() == 7U);  // 20 + 10 + 15 + 50 and the three small ones fit
    BOOST_TEST(let_in.at(3) == "large");
    held.clear();
}

BOOST_AUTO_TEST_CASE(leases_of_one_owner_are_added_up) {
    byte_gate gate({.all = 100});
    auto lease = await(gate.enter(10, one_tenant, 0ms)).value();
    lease.add(await(gate.enter(20, one_tenant, 0ms)).value());
    BOOST_TEST(lease.size() == 30U);
    BOOST_TEST(gate.in_use() == 30U);
    lease.shrink(5);
    BOOST_TEST(gate.in_use() == 5U);
}

BOOST_AUTO_TEST_CASE(a_lease_grows_past_a_limit_when_nothing_else_is_inside) {
    byte_gate gate({.all = 100, .each_owner = 75});
    auto lease = await(gate.enter(50, one_tenant, 0ms)).value();
    BOOST_TEST(await(gate.grow(lease, 40, one_tenant, 0ms)).has_value());
    BOOST_TEST(lease.size() == 90U);
    BOOST_TEST(await(gate.grow(lease, 1000, one_tenant, 0ms)).has_value());
    BOOST_TEST(gate.in_use() == 1090U);
    lease.shrink(10);
    const auto other = await(gate.enter(60, one_tenant, 0ms)).value();
    BOOST_TEST((await(gate.grow(lease, 6, one_tenant, 0ms)).error().code == errc::busy));
    BOOST_TEST(lease.size() == 10U);
    BOOST_TEST(await(gate.grow(lease, 5, one_tenant, 0ms)).has_value());
    BOOST_TEST(gate.in_use() == 75U);
}

BOOST_AUTO_TEST_CASE(an_empty_lease_grows_as_new_work_enters) {
    byte_gate gate({.all = 100, .each_owner = 75});
    byte_gate::lease lease;
    BOOST_TEST(await(gate.grow(lease, 60, one_tenant, 0ms)).has_value());
    BOOST_TEST(gate.in_use() == 60U);
    lease = byte_gate::lease();
    BOOST_TEST(gate.in_use() == 0U);
}

// Otherwise each would wait for what the other holds.
BOOST_AUTO_TEST_CASE(of_leases_that_cannot_grow_one_waits_and_the_others_are_refused_at_once) {
    asio::io_context context{1};
    byte_gate gate({.all = 100, .each_owner = 75});
    std::vector<std::string> done;
    const auto one = [&](std::string name, tenant_id owner) -> task<> {
        auto lease = co_await gate.enter(45, owner, 0ms);
        co_await asio::post(use_task);  // lets the other enter
        const auto grown = co_await gate.grow(*lease, 40, owner, 1000s);
        if (grown.has_error()) BOOST_TEST((grown.error().code == errc::busy));
        done.push_back(name + (grown ? " grew" : " was refused"));
        co_await asio::post(use_task);
    };
    asio::co_spawn(context, one("first", one_tenant), asio::detached);
    asio::co_spawn(context, one("second", another_tenant), asio::detached);
    context.run();
    using names = std::vector<std::string>;
    BOOST_TEST(done == (names{"second was refused", "first grew"}), boost::test_tools::per_element());
    BOOST_TEST(gate.in_use() == 0U);
}

BOOST_AUTO_TEST_CASE(a_lease_that_waits_to_grow_comes_before_new_work) {
    asio::io_context context{1};
    byte_gate gate({.all = 100});
    std::vector<std::string> order;
    auto first = await(gate.enter(60, one_tenant, 0ms)).value();
    auto mine = await(gate.enter(30, another_tenant, 0ms)).value();
    const auto enter = [&](std::string name, std::uint64_t size) -> task<> {
        const auto lease = co_await gate.enter(size, tenant_id{random_uuid()}, 1000s);
        BOOST_TEST(lease.has_value());
        order.push_back(name);
    };
    const auto grow = [&]() -> task<> {
        const auto grown = co_await gate.grow(mine, 50, another_tenant, 1000s);
        BOOST_TEST(grown.has_value());
        order.emplace_back("grown");
    };
    asio::co_spawn(context, enter("new", 70), asio::detached);
    context.poll();
    asio::co_spawn(context, grow(), asio::detached);
    context.restart();
    context.poll();
    BOOST_TEST(gate.waiting() == 2U);
    first.shrink(20);
    context.restart();
    context.poll();
    BOOST_TEST(order == std::vector<std::string>{"grown"}, boost::test_tools::per_element());
    mine = byte_gate::lease();
    first = byte_gate::lease();
    context.restart();
    context.run();
    BOOST_TEST(order.back() == "new");
    BOOST_TEST(gate.in_use() == 0U);
}

BOOST_AUTO_TEST_CASE(those_who_wait_are_let_in_in_order_but_for_small_ones_and_the_bound_holds) {
    asio::io_context context;
    byte_gate gate({.all = 100, .each_owner = 100 / 4 * 3});
    std::vector<int> order;
    std::uint64_t most = 0;
    const auto one = [&](int number, std::uint64_t size) -> task<> {
        const tenant_id owner{random_uuid()};
        const auto lease = co_await gate.enter(size, owner, 1000s);
        BOOST_TEST(lease.has_value());
        order.push_back(number);
        most = std::max(most, gate.in_use());
        co_await asio::post(use_task);  // lets the others try
        co_await asio::post(use_task);
    };
    const std::uint64_t sizes[] = {80, 50, 10, 90, 20, 100, 1};
    for (int i = 0; i < 7; ++i)
        asio::co_spawn(context, one(i, sizes[i]), asio::detached);
    context.run();
    BOOST_TEST(order == (std::vector<int>{0, 2, 6, 1, 4, 3, 5}), boost::test_tools::per_element());
    BOOST_TEST(most <= 100U);
    BOOST_TEST(gate.in_use() == 0U);
}

BOOST_AUTO_TEST_CASE(who_waits_when_the_gate_stops_is_answered_and_so_is_who_comes_later) {
    asio::io_context context;
    byte_gate gate({.all = 100});
    {
        const auto all = await(gate.enter(100, one_tenant, 0ms)).value();
        int answered = 0;
        const auto one = [&]() -> task<> {
            const auto got = co_await gate.enter(1, another_tenant, 1000s);
            BOOST_TEST_REQUIRE(got.has_error());
            BOOST_TEST((got.error().code == errc::unavailable));
            ++answered;
        };
        asio::co_spawn(context, one(), asio::detached);
        asio::co_spawn(context, one(), asio::detached);
        context.poll();
        BOOST_TEST(gate.waiting() == 2U);
        std::thread([&] { gate.stop(); }).join();
        BOOST_TEST(gate.waiting() == 0U);
        context.run();  // not for 1000 s: nobody's patience is measured any more
        BOOST_TEST(answered == 2);
        BOOST_TEST((await(gate.enter(1, another_tenant, 0ms)).error().code == errc::unavailable));
        BOOST_TEST(gate.in_use() == 100U);
    }
    BOOST_TEST(gate.in_use() == 0U);
}

// Some give up at the moment at which another thread lets them in.
BOOST_AUTO_TEST_CASE(who_is_let_in_while_giving_up_gets_one_answer_and_no_byte_is_lost) {
    constexpr unsigned threads = 4;
    constexpr unsigned each = 500;
    byte_gate gate({.all = 100});
    std::atomic<unsigned> let_in = 0;
    std::atomic<unsigned> gave_up = 0;
    std::atomic<std::uint64_t> most = 0;
    const auto one = [&](std::uint64_t size) -> task<> {
        const tenant_id owner{random_uuid()};
        const auto lease = co_await gate.enter(size, owner, 0ms);
        if (!lease) {
            if (lease.error().code == errc::busy) ++gave_up;
            co_return;
        }
        ++let_in;
        const auto now = gate.in_use();
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
    BOOST_TEST(gate.in_use() == 0U);
    BOOST_TEST(gate.waiting() == 0U);
}

BOOST_AUTO_TEST_CASE(sizes_that_no_sum_can_hold_are_refused_while_others_are_inside) {
    byte_gate gate({.all = 100, .each_owner = 50});
    const auto first = await(gate.enter(1, one_tenant, 0ms));
    BOOST_TEST(first.has_value());
    BOOST_TEST(!await(gate.enter(UINT64_MAX, one_tenant, 0ms)).has_value());
    BOOST_TEST(!await(gate.enter(UINT64_MAX, another_tenant, 0ms)).has_value());
    BOOST_TEST(gate.in_use() == 1U);
}

BOOST_AUTO_TEST_CASE(uncounted_work_passes_a_gate_that_is_full) {
    byte_gate gate({.all = 10, .uncounted = 3});
    const auto first = await(gate.enter(10));
    BOOST_TEST(await(gate.enter(3)).size() == 0U);
    BOOST_TEST(await(gate.enter(3, one_tenant, 0ms)).has_value());
    BOOST_TEST(!await(gate.enter(4, one_tenant, 0ms)).has_value());
    BOOST_TEST(gate.in_use() == 10U);
}

BOOST_AUTO_TEST_CASE(larger_limits_admit_who_waits_and_smaller_ones_wait_for_who_is_in) {
    asio::io_context context;
    byte_gate gate({.all = 100, .each_owner = 75});
    auto first = await(gate.enter(70, one_tenant, 0ms)).value();
    bool is_in = false;
    const auto enter = [&]() -> task<> {
        const auto lease = co_await gate.enter(50, another_tenant, 1000s);
        is_in = lease.has_value();
    };
    asio::co_spawn(context, enter(), asio::detached);
    context.poll();
    BOOST_TEST(gate.waiting() == 1U);
    gate.set_limits(90, 60);
    BOOST_TEST(gate.waiting() == 1U);
    gate.set_limits(120, 90);
    context.run();
    BOOST_TEST(is_in);

    gate.set_limits(60, 45);
    BOOST_TEST(gate.in_use() == 70U);
    BOOST_TEST(!await(gate.enter(1, another_tenant, 0ms)).has_value());
    first.shrink(40);
    BOOST_TEST(!await(gate.enter(10, one_tenant, 0ms)).has_value());
    BOOST_TEST(await(gate.enter(5, one_tenant, 0ms)).has_value());
    BOOST_TEST(await(gate.enter(20, another_tenant, 0ms)).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
