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

#include <chrono>
#include <memory>

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

}  // namespace

BOOST_AUTO_TEST_SUITE(write_gates)

BOOST_AUTO_TEST_CASE(a_write_waits_until_the_gate_is_opened_and_does_not_fail) {
    gated_store store;
    store.engine.gate().close(1h);
    asio::io_context context;
    bool is_written = false;
    asio::co_spawn(context, store.engine.documents().save({"user", "a", "{}", 0}, precondition::any()),
                   [&is_written](std::exception_ptr thrown, const result<write_outcome>& saved) {
                       is_written = !thrown && saved.has_value();
                   });
    for (int i = 0; i < 5; ++i)
        context.run_one();  // it looks at the gate again and again
    BOOST_TEST(!is_written);
    BOOST_TEST(!store.has_document());  // reads are not delayed
    store.engine.gate().open();
    context.run();
    BOOST_TEST(is_written);
    BOOST_TEST(store.has_document());
}

BOOST_AUTO_TEST_CASE(a_write_waits_for_one_closing_only) {
    gated_store store;
    auto& gate = store.engine.gate();
    gate.close(1h);
    asio::io_context context;
    bool is_written = false;
    asio::co_spawn(context, store.engine.documents().save({"user", "a", "{}", 0}, precondition::any()),
                   [&is_written](std::exception_ptr thrown, const result<write_outcome>& saved) {
                       is_written = !thrown && saved.has_value();
                   });
    for (int i = 0; i < 5; ++i)
        context.run_one();
    gate.open();
    gate.close(1h);  // before the write has looked
    context.run_for(60s);
    BOOST_TEST(is_written);
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
