// SPDX-License-Identifier: Apache-2.0
// Several servers on one store.
#include "scrubbed_store.hpp"

namespace gallery::scrub::test {

namespace {

/// A lease without a clock.
struct one_turn {
    std::string holder;
    int forgotten = 0;

    turn of(const std::string& name) {
        turn out;
        out.acquire = [this, name] {
            if (holder.empty()) holder = name;
            return answered(holder == name);
        };
        out.release = [this, name] {
            if (holder == name) holder.clear();
            return done();
        };
        out.forget = [this] { ++forgotten; };
        return out;
    }
};

struct cluster_fixture {
    scratch_store stored{"memory"};
    faulty_store store{*stored};
    surroundings around;
    one_turn turns;
    server one{store, around, turns.of("one")};
    server two{store, around, turns.of("two")};

    cluster_fixture() { fill(*stored); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(turns, cluster_fixture)

BOOST_AUTO_TEST_CASE(one_server_reads_and_the_others_show_its_state) {
    BOOST_REQUIRE(one.start().has_value());
    one.step();
    one.step();
    two.step();
    BOOST_TEST(bool(one.status().state == scrub_state::running));
    BOOST_TEST(bool(two.status().state == scrub_state::elsewhere));
    BOOST_TEST(two.read() == 0U);
    BOOST_TEST(two.status().stored.started_at == around.now);
    BOOST_TEST(bool(two.start().error().code == errc::busy));
    BOOST_TEST(bool(two.stop().error().code == errc::busy));
    one.run();
    BOOST_TEST(turns.holder.empty());
    BOOST_TEST(two.step().count() > 0);
    BOOST_TEST(bool(two.status().state == scrub_state::idle));
    BOOST_TEST(two.status().stored.completed_at == around.now);
}

BOOST_AUTO_TEST_CASE(a_pass_that_is_due_is_made_once) {
    one.step();
    two.step();
    around.now += milliseconds(std::chrono::hours(24)).count();
    one.run();
    two.run();
    BOOST_TEST(one.read() == contents(*stored).bodies);
    BOOST_TEST(two.read() == 0U);
}

BOOST_AUTO_TEST_CASE(another_server_continues_the_pass_of_one_that_is_gone) {
    BOOST_REQUIRE(one.start().has_value());
    for (int i = 0; i < 4; ++i)
        one.step();
    const auto read = one.read();
    BOOST_REQUIRE(read > 0U);
    turns.holder.clear();  // its lease has expired
    two.run();
    BOOST_TEST(two.read() + read == contents(*stored).bodies);
    BOOST_TEST(bool(two.status().stored.done == contents(*stored)));
}

BOOST_AUTO_TEST_CASE(a_server_that_has_lost_its_turn_leaves_the_pass_to_the_other) {
    BOOST_REQUIRE(one.start().has_value());
    one.step();
    one.step();
    const auto read = one.read();
    turns.holder = "two";
    BOOST_TEST((one.step() == one.options.retry));
    BOOST_TEST(bool(one.status().state == scrub_state::elsewhere));
    BOOST_TEST(one.read() == read);
    two.run();
    BOOST_TEST(bool(two.status().stored.done == contents(*stored)));
}

BOOST_AUTO_TEST_CASE(a_state_that_could_not_be_stored_counts_until_another_server_has_stored_one) {
    one.step();
    const auto save = one.options.save;
    one.options.save = [](std::string) -> task<result<void>> {
        co_return error{errc::no_space, "the disk is full"};
    };
    one.pass();
    BOOST_TEST(one.step().count() > 0);
    BOOST_TEST(bool(one.status().stored.done == contents(*stored)));
    around.now += 1000;
    two.pass();
    one.step();
    BOOST_TEST(one.status().stored.started_at == around.now);
    one.options.save = save;
    one.step();
    BOOST_TEST(one.status().stored.completed_at == around.now);
}

BOOST_AUTO_TEST_CASE(a_switch_ends_the_turn_and_the_pass) {
    BOOST_REQUIRE(one.start().has_value());
    one.step();
    one.step();
    BOOST_REQUIRE(one.status().stored.done.bodies > 0U);
    BOOST_REQUIRE(turns.holder == "one");
    // The new store has no state, and another server has its turn.
    around.store_name = std::string("another");
    around.stored.reset();
    turns = {.holder = "two"};
    BOOST_TEST(one.step().count() > 0);
    BOOST_TEST(turns.forgotten == 1);
    BOOST_TEST(one.status().stored.store == "another");
    BOOST_TEST(!one.status().stored.is_running);
    BOOST_TEST(one.status().stored.started_at == 0);
    BOOST_TEST(!around.stored.has_value());
    BOOST_TEST(turns.holder == "two");
    BOOST_TEST(bool(one.start().error().code == errc::busy));
    // Without a pass in progress, the turn is free for others.
    turns.holder.clear();
    BOOST_TEST(one.step().count() > 0);
    BOOST_TEST(turns.holder.empty());
    BOOST_TEST(parse_saved_scrub(around.stored.value()).value().store == "another");
    one.pass();
    BOOST_TEST(bool(one.status().stored.done == contents(*stored)));
    BOOST_TEST(turns.forgotten == 1);
}

BOOST_AUTO_TEST_CASE(a_command_after_a_switch_is_about_the_new_store) {
    BOOST_REQUIRE(one.start().has_value());
    one.step();
    around.store_name = std::string("another");
    around.stored.reset();
    turns.holder.clear();
    BOOST_REQUIRE(one.start().has_value());
    BOOST_TEST(turns.holder == "one");
    BOOST_TEST(one.status().stored.store == "another");
    BOOST_TEST(one.status().stored.done.bodies == 0U);
    one.run();
    BOOST_TEST(bool(one.status().stored.done == contents(*stored)));
    around.store_name = std::string("third");
    BOOST_REQUIRE(one.stop().has_value());
    BOOST_TEST(one.status().stored.completed_at == 0);
}

BOOST_AUTO_TEST_CASE(nothing_is_read_of_a_store_that_cannot_be_identified) {
    BOOST_REQUIRE(one.start().has_value());
    one.step();
    const auto read = one.read();
    around.store_name = error{errc::unavailable, "no answer"};
    BOOST_TEST((one.step() == one.options.retry));
    BOOST_TEST(one.read() == read);
    BOOST_TEST(one.status().problem.find("no answer") != std::string::npos);
    BOOST_TEST(bool(one.start().error().code == errc::unavailable));
    around.store_name = std::string("one");
    one.run();
    BOOST_TEST(bool(one.status().stored.done == contents(*stored)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::scrub::test
