// SPDX-License-Identifier: Apache-2.0
// The mirror of a server: commands, restarts and failures.
#include "mirrored_server.hpp"

#include <fstream>
#include <string>

namespace gallery::mirror::test {

BOOST_AUTO_TEST_SUITE(services)

BOOST_AUTO_TEST_CASE(a_mirror_copies_and_follows) {
    mirrored_server server;
    fill(*server.stored_source);
    server.start();
    BOOST_TEST(bool(server.mirror->status().state == mirror_state::none));
    server.require_begun();
    server.wait_until_current();
    check_same(*server.stored_source, *server.stored_target);
    save(*server.stored_source, make_picture(tenant(1), "later", "later"));
    erase(*server.stored_source, tenant(1), "key-1");
    server.wait_until_current();
    check_same(*server.stored_source, *server.stored_target);
    BOOST_TEST(server.holds == 0);
    BOOST_TEST(!server.is_marked_complete());
}

BOOST_AUTO_TEST_CASE(commands_without_a_mirror_and_a_second_mirror_are_refused) {
    mirrored_server server;
    server.start();
    BOOST_TEST(bool(await(server.mirror->stop()).error().code == errc::not_found));
    BOOST_TEST(bool(await(server.mirror->abandon()).error().code == errc::not_found));
    BOOST_TEST(bool(await(server.mirror->verify()).error().code == errc::not_found));
    BOOST_TEST(bool(await(server.mirror->forget()).error().code == errc::not_found));
    server.require_begun();
    BOOST_TEST(bool(server.begin().error().code == errc::already_exists));
    BOOST_TEST(bool(await(server.mirror->forget()).error().code == errc::busy));
}

BOOST_AUTO_TEST_CASE(a_second_mirror_or_backup_is_refused_with_the_commands_that_help) {
    mirrored_server server;
    fill(*server.stored_source);
    server.start();
    server.require_begun();
    const auto message = [&server](bool is_backup) {
        return server.begin("/other", is_backup).error().message;
    };
    for (const char* word : {"There is a mirror already, in memory:/copy", "mirror stop", "start it again"})
        BOOST_TEST(message(true).find(word) != std::string::npos, message(true));
    BOOST_TEST(message(false).find("Stop or abandon it") != std::string::npos, message(false));
    BOOST_REQUIRE(await(server.mirror->abandon()).has_value());

    server.stop();
    server.copying.bytes_per_second = 1;  // the backup does not end by itself
    save(*server.stored_source, make_picture(tenant(1), "later", "later"));
    server.start();
    server.require_begun(true);
    for (const bool is_backup : {false, true}) {
        const auto text = message(is_backup);
        BOOST_TEST(text.find("There is a backup in progress already, in memory:/copy") == 0U, text);
        BOOST_TEST(text.find("mirror stop --abandon") != std::string::npos, text);
    }
    BOOST_REQUIRE(await(server.mirror->abandon()).has_value());
    server.stop();
}

BOOST_AUTO_TEST_CASE(a_refused_target_leaves_no_mirror_behind) {
    mirrored_server server;
    server.start();
    BOOST_TEST(bool(server.begin("").error().code == errc::permission_denied));
    const auto started = server.begin("/elsewhere");
    BOOST_REQUIRE(started.has_error());
    BOOST_TEST(started.error().message.find("/elsewhere") != std::string::npos);
    save(*server.stored_target, make_picture(tenant(1), "a", "of somebody else"));
    BOOST_TEST(bool(server.begin().error().code == errc::already_exists));
    BOOST_TEST(bool(server.mirror->status().state == mirror_state::none));
    BOOST_TEST(server.open == 0);
    BOOST_TEST(!std::filesystem::exists(server.state_file()));
}

BOOST_AUTO_TEST_CASE(a_mirror_continues_after_a_restart_of_the_server) {
    mirrored_server server;
    fill(*server.stored_source, 60);
    server.start();
    server.require_begun();
    server.stop();  // somewhere in the copy
    save(*server.stored_source, make_picture(tenant(1), "meanwhile", "meanwhile"));
    server.restart();
    server.wait_until_current();
    check_same(*server.stored_source, *server.stored_target);
    BOOST_TEST(server.created == 1);  // only the command creates a store

    server.stop_complete();
    server.restart();
    const auto now = server.mirror->status();
    BOOST_TEST(bool(now.state == mirror_state::stopped));
    BOOST_REQUIRE(now.completed.has_value());
    BOOST_TEST(now.completed->rev == await(server.stored_source->feed().last()).value());
    BOOST_TEST(server.open == 0);
    BOOST_TEST(server.is_marked_complete());
}

BOOST_AUTO_TEST_CASE(each_start_has_an_id_which_a_restart_of_the_server_keeps) {
    mirrored_server server;
    server.start();
    BOOST_TEST(server.mirror->status().run.empty());
    const auto first = server.begin().value().run;
    BOOST_TEST(!first.empty());
    server.restart();
    BOOST_TEST(server.mirror->status().run == first);
    server.wait_until_current();
    BOOST_TEST(server.stop_complete().run == first);
    server.restart();
    BOOST_TEST(server.mirror->status().run == first);
    const auto second = server.begin().value().run;
    BOOST_TEST(!second.empty());
    BOOST_TEST(second != first);
    BOOST_TEST(await(server.mirror->abandon()).value().run == second);
    BOOST_TEST(await(server.mirror->forget()).value().run.empty());
}

BOOST_AUTO_TEST_CASE(the_time_of_the_last_backup_is_known_until_it_is_forgotten) {
    constexpr bool is_backup = true;
    mirrored_server server;
    fill(*server.stored_source);
    server.start();
    server.require_begun();
    server.wait_until_current();
    server.stop_complete();
    BOOST_TEST(server.mirror->status().backup_at == 0);  // a mirror is no backup
    server.require_begun(is_backup);
    const auto done = server.wait_for(mirror_state::stopped);
    BOOST_REQUIRE(done.completed.has_value());
    BOOST_TEST(done.backup_at == done.completed->time);
    server.restart();
    BOOST_TEST(server.mirror->status().backup_at == done.backup_at);
    // The next one fails, or has not ended.
    server.source.faulty_changes.gaps = 1'000'000'000;
    BOOST_TEST(server.begin("/copy", is_backup).value().backup_at == done.backup_at);
    BOOST_TEST(await(server.mirror->abandon()).value().backup_at == done.backup_at);
    server.restart();
    BOOST_TEST(server.mirror->status().backup_at == done.backup_at);
    BOOST_TEST(await(server.mirror->forget()).value().backup_at == 0);
}

BOOST_AUTO_TEST_CASE(a_state_file_that_cannot_be_read_is_a_failure_that_can_be_forgotten) {
    mirrored_server server;
    server.start();
    std::ofstream(server.state_file()) << "not a state";
    server.stop();
    server.start(false);
    const auto failed = server.mirror->status();
    BOOST_TEST(bool(failed.state == mirror_state::failed));
    BOOST_TEST(failed.problem.find("mirror.json") != std::string::npos);
    BOOST_TEST(await(server.mirror->forget()).has_value());
    BOOST_TEST(bool(server.mirror->status().state == mirror_state::none));
    BOOST_TEST(!std::filesystem::exists(server.state_file()));
}

BOOST_AUTO_TEST_CASE(a_target_that_fails_is_opened_again_and_the_reason_is_shown) {
    mirrored_server server;
    fill(*server.stored_source);
    server.start();
    server.require_begun();
    server.wait_until_current();
    server.failures = 1'000'000'000;
    server.restart();
    const auto failed = server.wait_for(mirror_state::failed);
    BOOST_TEST(failed.problem == "the disk is not mounted");
    BOOST_TEST(failed.is_retried);
    save(*server.stored_source, make_picture(tenant(1), "meanwhile", "meanwhile"));
    server.failures = 0;
    server.wait_until_current();
    BOOST_TEST(server.mirror->status().problem.empty());
    check_same(*server.stored_source, *server.stored_target);
}

BOOST_AUTO_TEST_CASE(a_full_target_is_continued_when_there_is_space) {
    mirrored_server server;
    fill(*server.stored_source);
    std::atomic<bool> is_full{true};
    server.target.faulty.on_save = [&is_full]() -> std::optional<error> {
        if (is_full) return error{errc::no_space, "the disk is full"};
        return std::nullopt;
    };
    server.start();
    server.require_begun();
    const auto failed = server.wait_for(mirror_state::failed);
    BOOST_TEST(failed.problem.find("the disk is full") != std::string::npos);
    is_full = false;
    server.wait_until_current();
    check_same(*server.stored_source, *server.stored_target);
    server.stop();
}

BOOST_AUTO_TEST_CASE(a_gap_in_the_feed_leads_to_another_pass) {
    mirrored_server server;
    fill(*server.stored_source);
    server.source.faulty_changes.gaps = 3;
    server.start();
    server.require_begun();
    server.wait_until_current();
    check_same(*server.stored_source, *server.stored_target);
    server.stop();
}

BOOST_AUTO_TEST_CASE(an_abandoned_mirror_is_never_complete) {
    mirrored_server server;
    fill(*server.stored_source, 60);
    server.start();
    for (const bool is_current : {false, true}) {
        server.require_begun();
        if (is_current) server.wait_until_current();
        const auto ended = await(server.mirror->abandon());
        BOOST_REQUIRE(ended.has_value());
        BOOST_TEST(bool(ended->state == mirror_state::stopped));
        BOOST_TEST(!ended->completed.has_value());
        BOOST_TEST(!server.is_marked_complete());
        BOOST_TEST(server.open == 0);
        BOOST_TEST(server.holds == 0);
    }
    // A server does not start on it.
    BOOST_TEST(await(take_over(server.stored_target->documents())).has_error());
    BOOST_TEST(await(server.mirror->forget()).has_value());
    BOOST_TEST(bool(server.mirror->status().state == mirror_state::none));
    server.restart();
    BOOST_TEST(bool(server.mirror->status().state == mirror_state::none));
}

BOOST_AUTO_TEST_CASE(a_mirror_that_has_failed_can_be_abandoned) {
    mirrored_server server;
    server.start();
    server.require_begun();
    server.wait_until_current();
    server.failures = 1'000'000'000;
    server.restart();
    server.wait_for(mirror_state::failed);
    BOOST_TEST(bool(await(server.mirror->stop()).error().code == errc::busy));
    BOOST_TEST(bool(await(server.mirror->abandon())->state == mirror_state::stopped));
    server.failures = 0;
    server.require_begun();
    server.wait_until_current();
}

BOOST_AUTO_TEST_CASE(a_server_that_stops_does_not_wait_for_the_rate) {
    mirrored_server server;
    fill(*server.stored_source, 60);
    server.copying.bytes_per_second = 1;  // the copy would take days
    server.start();
    server.require_begun();
    server.wait_for([](const mirror_status& now) { return now.done.at == stage::images; });
    // Neither does a command.
    BOOST_TEST(bool(await(server.mirror->verify()).error().code == errc::busy));
    server.stop();
    BOOST_TEST(server.open == 0);
}

BOOST_AUTO_TEST_CASE(commands_that_wait_when_the_server_stops_are_answered) {
    mirrored_server server;
    server.start();
    std::atomic<bool> is_in_check{false};
    std::atomic<bool> may_go_on{false};
    server.target.faulty_texts.on_write = [&]() -> std::optional<error> {
        is_in_check = true;
        while (!may_go_on)
            std::this_thread::yield();
        return std::nullopt;
    };
    std::thread first([&server] { static_cast<void>(server.begin()); });
    while (!is_in_check)
        std::this_thread::yield();
    result<mirror_status> second = error{errc::internal, "not answered"};
    std::thread waiting([&] { second = await(server.mirror->abandon()); });
    std::thread stopping([&server] { server.mirror->shut_down(); });
    may_go_on = true;
    first.join();
    waiting.join();
    stopping.join();
    // It was executed before the end, or refused.
    BOOST_TEST((second.has_value() || second.error().code == errc::unavailable ||
                second.error().code == errc::not_found));
    BOOST_TEST(bool(await(server.mirror->abandon()).error().code == errc::unavailable));
    BOOST_TEST(server.open == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::mirror::test
