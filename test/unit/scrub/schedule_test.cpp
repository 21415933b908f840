// SPDX-License-Identifier: Apache-2.0
// When passes begin, and how they continue.
#include "scrubbed_store.hpp"

namespace gallery::scrub::test {

namespace {

struct scheduled_fixture {
    scratch_store stored{"memory"};
    faulty_store store{*stored};
    surroundings around;

    scheduled_fixture() { fill(*stored); }
    void pass_time(std::chrono::hours by) { around.now += milliseconds(by).count(); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(schedule, scheduled_fixture)

BOOST_AUTO_TEST_CASE(the_first_pass_is_due_an_interval_after_the_first_start) {
    const auto first = around.now;
    {
        server one(store, around);
        BOOST_TEST(one.step().count() > 0);
        BOOST_TEST(one.status().due_at == first + milliseconds(std::chrono::hours(24)).count());
        BOOST_TEST(one.read() == 0U);
    }
    // Restarts do not move it.
    pass_time(std::chrono::hours(23));
    server again(store, around);
    again.run();
    BOOST_TEST(again.read() == 0U);
    pass_time(std::chrono::hours(1));
    again.run();
    BOOST_TEST(again.read() == contents(*stored).bodies);
    BOOST_TEST(again.status().stored.started_at == around.now);
    BOOST_TEST(again.status().due_at == around.now + milliseconds(std::chrono::hours(24)).count());
}

BOOST_AUTO_TEST_CASE(without_an_interval_only_a_command_begins_a_pass) {
    server one(store, around);
    one.live.interval.store(milliseconds(0));
    pass_time(std::chrono::hours(10'000));
    one.run();
    BOOST_TEST(one.read() == 0U);
    BOOST_TEST(one.status().due_at == 0);
    one.pass();
    BOOST_TEST(one.read() == contents(*stored).bodies);
}

BOOST_AUTO_TEST_CASE(an_interrupted_pass_goes_on_where_it_was_after_a_restart) {
    const auto all = contents(*stored);
    std::uint64_t read = 0;
    int starts = 0;
    for (std::uint64_t after = 9; starts < 100; ++starts) {
        server one(store, around);
        if (starts == 0) BOOST_REQUIRE(one.start().has_value());
        one.interrupt_after = after;
        while (one.read() < after && one.step().count() == 0) {
        }
        read += one.read();
        if (one.read() < after) break;
    }
    BOOST_TEST(starts >= 3);
    const auto now = parse_saved_scrub(*around.stored);
    BOOST_REQUIRE(now.has_value());
    BOOST_TEST(!now->is_running);
    BOOST_TEST(now->completed_at == around.now);
    BOOST_TEST(bool(now->done == all));
    // Only pieces that were interrupted are read again.
    BOOST_TEST(read >= all.bodies);
    BOOST_TEST(read <= all.bodies + 8U * static_cast<unsigned>(starts));
}

BOOST_AUTO_TEST_CASE(a_pass_that_is_stopped_is_not_complete_and_the_next_is_due_after_an_interval) {
    server one(store, around);
    BOOST_REQUIRE(one.start(123'000'000).has_value());
    BOOST_TEST(one.status().rate == 123'000'000U);
    one.step();
    one.step();
    pass_time(std::chrono::hours(48));
    BOOST_REQUIRE(one.stop().has_value());
    BOOST_TEST(bool(one.status().state == scrub_state::idle));
    BOOST_TEST(one.status().stored.completed_at == 0);
    BOOST_TEST(one.status().problem.find("stopped") != std::string::npos);
    BOOST_TEST(one.step().count() > 0);
    BOOST_TEST(one.status().due_at == around.now + milliseconds(std::chrono::hours(24)).count());
    BOOST_TEST(one.stop().has_value());  // also if there is none
    one.pass();
    BOOST_TEST(bool(one.status().stored.done == contents(*stored)));
    BOOST_TEST(one.status().rate == 0U);
}

BOOST_AUTO_TEST_CASE(a_start_during_a_pass_changes_its_rate_only) {
    server one(store, around);
    BOOST_REQUIRE(one.start().has_value());
    one.step();
    one.step();
    const auto before = one.status().stored.done;
    BOOST_REQUIRE(before.bodies > 0U);
    BOOST_REQUIRE(one.start(50'000'000).has_value());
    BOOST_TEST(bool(one.status().stored.done == before));
    BOOST_TEST(one.status().rate == 50'000'000U);
}

BOOST_AUTO_TEST_CASE(another_store_begins_anew) {
    server one(store, around);
    one.pass();
    BOOST_REQUIRE(one.status().stored.completed_at != 0);
    around.store_name = std::string("another");
    one.step();
    BOOST_TEST(one.status().stored.completed_at == 0);
    BOOST_TEST(one.status().stored.store == "another");
    BOOST_TEST(one.status().due_at == around.now + milliseconds(std::chrono::hours(24)).count());
}

BOOST_AUTO_TEST_CASE(a_cursor_that_the_store_refuses_begins_the_pass_again) {
    saved_scrub before;
    before.store = around.store_name.value();
    before.is_running = true;
    before.started_at = around.now;
    before.at = stage::images;
    before.cursor = "of another engine";
    before.done.images = 7;
    around.stored = to_json(before);
    server one(store, around);
    one.run();
    BOOST_TEST(bool(one.status().stored.done == contents(*stored)));
    BOOST_TEST(one.status().stored.completed_at == around.now);
}

BOOST_AUTO_TEST_CASE(a_stored_state_that_cannot_be_read_is_reported_and_begins_anew) {
    around.stored = "{\"running\":";
    server one(store, around);
    one.step();
    BOOST_TEST(mentions(around.problems, "cannot be read"));
    BOOST_TEST(parse_saved_scrub(*around.stored).has_value());
}

BOOST_AUTO_TEST_CASE(a_state_that_cannot_be_stored_is_reported_once_and_the_pass_goes_on) {
    server one(store, around);
    one.options.save = [](std::string) -> task<result<void>> {
        co_return error{errc::io_error, "the disk is full"};
    };
    one.pass();
    BOOST_TEST(around.problems.size() == 1U);
    BOOST_TEST(mentions(around.problems, "the disk is full"));
    BOOST_TEST(bool(one.status().stored.done == contents(*stored)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::scrub::test
