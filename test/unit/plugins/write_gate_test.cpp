// SPDX-License-Identifier: Apache-2.0
// Writes wait while the gate is closed, and pass when it is open.
#include "plugins/write_gate.hpp"

#include "await.hpp"
#include "boost_test.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <chrono>
#include <optional>
#include <thread>
#include <vector>

namespace gallery::plugins::test {

using gallery::test::await;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(write_gates)

BOOST_AUTO_TEST_CASE(an_open_gate_lets_writes_pass_at_once) {
    write_gate gate;
    const auto one = gate.try_enter();
    const auto other = gate.try_enter();
    BOOST_TEST(one.has_value());
    BOOST_TEST(other.has_value());
    BOOST_TEST(gate.longest_hold().count() == 0);
}

BOOST_AUTO_TEST_CASE(a_closed_gate_holds_writes_until_it_opens) {
    write_gate gate;
    BOOST_TEST(await(gate.close(10s)));
    BOOST_TEST(!gate.try_enter().has_value());
    BOOST_TEST(!await(gate.close(10s)));  // it is closed already

    asio::io_context context{1};
    int passed = 0;
    auto write = [&]() -> task<void> {
        const auto pass = co_await gate.enter();
        ++passed;
    };
    for (int i = 0; i < 5; ++i)
        asio::co_spawn(context, write(), [](std::exception_ptr) {});
    context.poll();
    BOOST_TEST(passed == 0);
    gate.open();
    context.run();
    BOOST_TEST(passed == 5);
    BOOST_TEST(gate.try_enter().has_value());
    BOOST_TEST(gate.longest_hold().count() > 0);
}

BOOST_AUTO_TEST_CASE(closing_waits_for_writes_in_progress) {
    write_gate gate;
    auto write = gate.try_enter();
    BOOST_REQUIRE(write.has_value());
    BOOST_TEST(!await(gate.close(1ms)));
    // It is open again, for those that waited as well.
    BOOST_TEST(gate.try_enter().has_value());

    std::thread ending([&] { write.reset(); });
    BOOST_TEST(await(gate.close(60s)));
    ending.join();
    gate.open();
}

BOOST_AUTO_TEST_CASE(nothing_is_written_while_it_is_closed) {
    write_gate gate;
    std::atomic<bool> is_closed{false};
    std::atomic<bool> is_ending{false};
    std::atomic<int> wrong{0};
    std::vector<std::thread> writers;
    for (int i = 0; i < 4; ++i) {
        writers.emplace_back([&] {
            auto write = [&]() -> task<int> {
                const auto pass = co_await gate.enter();
                if (is_closed) ++wrong;
                co_return 0;
            };
            while (!is_ending)
                await(write());
        });
    }
    int closed = 0;
    while (closed < 50) {
        if (!await(gate.close(60s))) continue;
        ++closed;
        is_closed = true;
        std::this_thread::yield();
        is_closed = false;
        gate.open();
    }
    is_ending = true;
    for (auto& each : writers)
        each.join();
    BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::plugins::test
