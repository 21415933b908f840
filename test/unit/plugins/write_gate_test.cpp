// SPDX-License-Identifier: Apache-2.0
// The delay of writes that lets a mirror become complete.
#include "plugins/write_gate.hpp"

#include "plugins/measured_engine.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "await.hpp"
#include "boost_test.hpp"
#include "memory/memory_store.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

namespace gallery::plugins {

namespace {

using namespace std::chrono_literals;
using gallery::test::await;

/// A write and a read of a store whose gate a test moves.
class gated_store {
public:
    measured_engine engine{make_memory_engine(), "memory"};

    bool write() {
        const auto saved = await(engine.documents().save({"user", "a", "{}", 0}, precondition::any()));
        return saved.has_value();
    }
    bool has_document() { return await(engine.documents().find("user", "a")).has_value(); }
};

/// A write to a store whose gate is closed, on a context of its own.
class waiting_write {
public:
    explicit waiting_write(gated_store& to) {
        asio::co_spawn(context, to.engine.documents().save({"user", "a", "{}", 0}, precondition::any()),
                       [this](std::exception_ptr thrown, const result<write_outcome>& saved) {
                           is_written = !thrown && saved.has_value();
                       });
        look_again();
    }
    /// It looks at the gate again and again.
    void look_again() {
        for (int i = 0; i < 5; ++i)
            context.run_one();
    }

    asio::io_context context;
    bool is_written = false;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(write_gates)

BOOST_AUTO_TEST_CASE(a_write_waits_until_the_gate_is_opened_and_does_not_fail) {
    gated_store store;
    store.engine.gate().close(1h);
    waiting_write write(store);
    BOOST_TEST(!write.is_written);
    BOOST_TEST(!store.has_document());  // reads are not delayed
    store.engine.gate().open();
    write.context.run();
    BOOST_TEST(write.is_written);
    BOOST_TEST(store.has_document());
}

BOOST_AUTO_TEST_CASE(a_write_waits_for_one_closing_only) {
    gated_store store;
    auto& gate = store.engine.gate();
    gate.close(1h);
    waiting_write write(store);
    gate.open();
    gate.close(1h);  // before the write has looked
    write.context.run_for(60s);
    BOOST_TEST(write.is_written);
}

BOOST_AUTO_TEST_CASE(a_sealed_gate_is_closed_also_to_a_write_that_has_waited_before) {
    gated_store store;
    auto& gate = store.engine.gate();
    gate.close(1h);
    waiting_write write(store);
    gate.open();
    gate.seal(1h);  // before the write has looked
    write.look_again();
    BOOST_TEST(!write.is_written);
    BOOST_TEST(gate.under_way() == 0U);
    gate.open();
    write.context.run_for(60s);
    BOOST_TEST(write.is_written);
}

BOOST_AUTO_TEST_CASE(the_caller_that_has_sealed_the_gate_can_write) {
    gated_store store;
    auto& gate = store.engine.gate();
    gate.seal(1h);
    auto& documents = store.engine.ungated_documents();
    BOOST_TEST(await(documents.save({"user", "a", "{}", 0}, precondition::any())).has_value());
    BOOST_TEST(store.has_document());
    BOOST_TEST(gate.begun() == 0U);
    BOOST_TEST(gate.hold_on(0));
    gate.open();
}

BOOST_AUTO_TEST_CASE(writes_are_counted_from_their_beginning_to_their_end) {
    write_gate gate;
    BOOST_TEST(gate.begun() == 0U);
    {
        const auto first = gate.try_pass();
        BOOST_TEST(first.has_value());
        BOOST_TEST(gate.under_way() == 1U);
        gate.seal(1h);
        BOOST_TEST(!gate.try_pass().has_value());
        BOOST_TEST(gate.under_way() == 1U);
    }
    BOOST_TEST(gate.under_way() == 0U);
    BOOST_TEST(gate.begun() == 1U);
    gate.open();
    BOOST_TEST(gate.try_pass().has_value());
    BOOST_TEST(gate.begun() == 2U);
}

BOOST_AUTO_TEST_CASE(a_gate_that_is_held_on_does_not_open_at_its_limit) {
    write_gate gate;
    BOOST_TEST(!gate.hold_on(0));  // it is open
    gate.seal(50ms);
    BOOST_TEST(gate.hold_on(gate.begun()));
    const auto limit = std::chrono::steady_clock::now() + 60ms;
    while (std::chrono::steady_clock::now() < limit)
        BOOST_REQUIRE(!gate.try_pass().has_value());
    BOOST_TEST(gate.is_closed());
    gate.open();
    BOOST_TEST(gate.try_pass().has_value());
    BOOST_TEST(gate.longest_hold() >= 60ms);
}

BOOST_AUTO_TEST_CASE(a_gate_whose_limit_was_reached_cannot_be_held_on) {
    write_gate gate;
    gate.seal(1ms);
    while (gate.is_closed()) {
    }
    BOOST_TEST(!gate.hold_on(gate.begun()));
    gate.open();
}

BOOST_AUTO_TEST_CASE(a_gate_that_a_write_has_passed_since_cannot_be_held_on) {
    write_gate gate;
    gate.seal(1ms);
    const auto known = gate.begun();
    while (!gate.try_pass()) {
    }
    gate.seal(1h);
    BOOST_TEST(!gate.hold_on(known));
    BOOST_TEST(gate.is_closed());
    gate.open();
}

BOOST_AUTO_TEST_CASE(writes_that_race_with_a_seal_end_before_it_or_begin_after_it) {
    write_gate gate;
    std::atomic<bool> is_ending{false};
    std::atomic<int> writing{0};
    std::atomic<std::uint64_t> written{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            while (!is_ending) {
                const auto mine = gate.try_pass();
                if (!mine) {
                    std::this_thread::yield();
                    continue;
                }
                ++writing;
                ++written;
                --writing;
            }
        });
    }
    int held = 0;
    for (int i = 0; i < 2'000; ++i) {
        gate.seal(1ms);
        while (gate.under_way() != 0) {
        }
        const auto known = gate.begun();
        if (gate.hold_on(known)) {
            ++held;
            const auto before = written.load();
            for (int look = 0; look < 50; ++look)
                BOOST_REQUIRE(writing == 0);
            BOOST_REQUIRE(written == before);
        }
        gate.open();
    }
    is_ending = true;
    for (auto& each : threads)
        each.join();
    BOOST_TEST(held > 0);
}

BOOST_AUTO_TEST_CASE(a_gate_that_nobody_opens_opens_at_its_limit) {
    gated_store store;
    store.engine.gate().close(20ms);
    BOOST_TEST(store.write());
    BOOST_TEST(!store.engine.gate().is_closed());
}

BOOST_AUTO_TEST_CASE(the_longest_hold_is_at_most_the_limit) {
    write_gate gate;
    BOOST_TEST(gate.longest_hold().count() == 0);
    gate.open();  // of an open gate
    BOOST_TEST(gate.longest_hold().count() == 0);
    gate.close(1ms);
    while (gate.is_closed()) {
    }
    gate.open();
    BOOST_TEST(gate.longest_hold() == 1ms);
    gate.close(1h);
    gate.open();
    BOOST_TEST(gate.longest_hold() < 1h);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::plugins
