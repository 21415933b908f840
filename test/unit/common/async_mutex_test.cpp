// SPDX-License-Identifier: Apache-2.0
// The mutex of coroutines.
#include <gallery/async_mutex.hpp>

#include "boost_test.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <thread>
#include <vector>

using namespace gallery;

BOOST_AUTO_TEST_SUITE(async_mutexes)

BOOST_AUTO_TEST_CASE(one_at_a_time_in_the_order_of_arrival) {
    asio::io_context context{1};
    async_mutex mutex;
    std::vector<int> order;
    int inside = 0;
    const auto one = [&](int number) -> task<> {
        const auto held = co_await mutex.lock();
        BOOST_TEST(++inside == 1);
        order.push_back(number);
        co_await asio::post(use_task);  // lets the others try
        co_await asio::post(use_task);
        --inside;
    };
    for (int i = 0; i < 5; ++i)
        asio::co_spawn(context, one(i), asio::detached);
    context.run();
    BOOST_TEST(order == (std::vector<int>{0, 1, 2, 3, 4}), boost::test_tools::per_element());
    BOOST_TEST(static_cast<bool>(mutex.try_lock()));
}

BOOST_AUTO_TEST_CASE(a_guard_holds_until_it_ends_and_an_empty_one_holds_nothing) {
    async_mutex mutex;
    auto held = mutex.try_lock();
    BOOST_TEST(static_cast<bool>(held));
    BOOST_TEST(!static_cast<bool>(mutex.try_lock()));
    auto moved = std::move(held);
    BOOST_TEST(!static_cast<bool>(mutex.try_lock()));
    moved = async_mutex::guard();
    BOOST_TEST(static_cast<bool>(mutex.try_lock()));
    BOOST_TEST(static_cast<bool>(mutex.try_lock()), "a guard that was not kept let it go");
}

BOOST_AUTO_TEST_CASE(no_two_threads_are_inside_at_once) {
    asio::io_context context;
    async_mutex mutex;
    int counted = 0;  // not atomic: the mutex guards it
    const auto one = [&]() -> task<> {
        for (int i = 0; i < 500; ++i) {
            const auto held = co_await mutex.lock();
            ++counted;
        }
    };
    for (int i = 0; i < 8; ++i)
        asio::co_spawn(context, one(), asio::detached);
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 3; ++i)
            threads.emplace_back([&] { context.run(); });
    }
    BOOST_TEST(counted == 4000);
}

BOOST_AUTO_TEST_SUITE_END()
