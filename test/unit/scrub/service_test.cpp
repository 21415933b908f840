// SPDX-License-Identifier: Apache-2.0
// The thread of the scrub.
#include "scrubbed_store.hpp"

#include "scrub/service.hpp"

#include <future>
#include <thread>

namespace gallery::scrub::test {

namespace {

struct served_fixture {
    scratch_store stored{"memory"};
    faulty_store store{*stored};
    surroundings around;
    std::unique_ptr<service> scrub;

    served_fixture() {
        fill(*stored);
        server with_options(store, around);  // the service keeps a copy of the options
        with_options.options.saving = milliseconds(60'000);
        scrub = std::make_unique<service>(store, with_options.options, std::chrono::hours(24), 0);
    }
    ~served_fixture() { scrub->shut_down(); }
    served_fixture(const served_fixture&) = delete;
    served_fixture& operator=(const served_fixture&) = delete;

    scrub_status wait_until_idle() const {
        for (;;) {
            auto now = scrub->status();
            if (now.state == scrub_state::idle) return now;
            std::this_thread::yield();
        }
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(services, served_fixture)

BOOST_AUTO_TEST_CASE(a_pass_that_a_command_starts_ends_by_itself) {
    scrub->begin();
    const auto started = await(scrub->start(std::nullopt));
    BOOST_REQUIRE_MESSAGE(started.has_value(), message_of(started));
    BOOST_TEST(started->stored.is_running);
    BOOST_TEST(bool(wait_until_idle().stored.done == contents(*stored)));
}

BOOST_AUTO_TEST_CASE(a_slow_pass_is_interrupted_by_commands_and_by_the_end_of_the_server) {
    scrub->begin();
    // At this rate the second body waits for hours.
    BOOST_REQUIRE(await(scrub->start(1)).has_value());
    const auto stopped = await(scrub->stop());
    BOOST_REQUIRE(stopped.has_value());
    BOOST_TEST(bool(stopped->state == scrub_state::idle));
    BOOST_TEST(stopped->stored.completed_at == 0);
    BOOST_REQUIRE(await(scrub->start(1)).has_value());
    scrub->shut_down();
    const auto kept = parse_saved_scrub(around.stored.value());
    BOOST_REQUIRE(kept.has_value());
    BOOST_TEST(kept->is_running);
}

BOOST_AUTO_TEST_CASE(commands_after_the_end_are_refused) {
    scrub->begin();
    scrub->shut_down();
    BOOST_TEST(bool(await(scrub->start(std::nullopt)).error().code == errc::unavailable));
    BOOST_TEST(bool(await(scrub->stop()).error().code == errc::unavailable));
}

BOOST_AUTO_TEST_CASE(commands_before_the_begin_are_refused_at_the_end) {
    auto waiting = std::async(std::launch::async, [this] { return await(scrub->stop()); });
    scrub->shut_down();
    BOOST_TEST(bool(waiting.get().error().code == errc::unavailable));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::scrub::test
