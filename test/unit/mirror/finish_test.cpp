// SPDX-License-Identifier: Apache-2.0
// When a mirror or a backup becomes complete, and when it does not.
#include "mirrored_server.hpp"

#include <string>

namespace gallery::mirror::test {

namespace {

/// One image of the source cannot be read.
void damage_one_image(mirrored_server& server, const std::string& damaged_key = "key-1") {
    server.source.faulty.on_read = [damaged_key](const image_record& record) -> std::optional<error> {
        if (record.key != damaged_key) return std::nullopt;
        return error{errc::corrupt, "its bytes do not match"};
    };
}

void check_completed(mirrored_server& server, const mirror_status& ended) {
    BOOST_TEST(bool(ended.state == mirror_state::stopped));
    BOOST_REQUIRE(ended.completed.has_value());
    const auto used = await(server.stored_source->images().usage(std::nullopt)).value();
    BOOST_TEST(ended.completed->rev == await(server.stored_source->feed().last()).value());
    BOOST_TEST(ended.completed->images == used.images.count);
    BOOST_TEST(ended.completed->bytes == used.images.original_bytes + used.images.preview_bytes);
    BOOST_TEST(ended.completed->versions == used.kept.count);
    BOOST_TEST(server.is_marked_complete());
    BOOST_TEST(server.open == 0);
    BOOST_TEST(server.held == 0);
    check_same(*server.stored_source, *server.stored_target);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ends)

BOOST_AUTO_TEST_CASE(a_mirror_ends_complete_at_a_revision) {
    mirrored_server server;
    fill(*server.stored_source);
    server.start();
    server.require_begun();
    server.wait_until_current();
    // A write right before the writes are held is part of it.
    save(*server.stored_source, make_picture(tenant(1), "last", "last"));
    check_completed(server, server.stop_complete());
    BOOST_TEST(server.holds == 1);
}

BOOST_AUTO_TEST_CASE(a_write_that_had_begun_before_the_hold_is_part_of_it) {
    mirrored_server server;
    fill(*server.stored_source);
    server.while_held = [&server] {
        save(*server.stored_source, make_picture(tenant(1), "late", "late " + std::to_string(server.holds)));
    };
    server.start();
    server.require_begun();
    server.wait_until_current();
    check_completed(server, server.stop_complete());
}

BOOST_AUTO_TEST_CASE(again_only_changes_are_transferred) {
    mirrored_server server;
    fill(*server.stored_source);
    server.start();
    for (int i = 0; i < 3; ++i) {
        server.require_begun();
        BOOST_TEST(!server.is_marked_complete());
        server.wait_until_current();
        const auto ended = server.stop_complete();
        check_completed(server, ended);
        if (i > 0) BOOST_TEST(ended.done.images_copied == 1U);
        save(*server.stored_source, make_picture(tenant(0), "one more", "one more " + std::to_string(i)));
    }
}

BOOST_AUTO_TEST_CASE(a_mirror_that_does_not_follow_cannot_be_stopped_complete) {
    mirrored_server server;
    fill(*server.stored_source);
    std::atomic<bool> is_blocked{true};
    server.source.faulty.before_find = [&is_blocked] {
        while (is_blocked)
            std::this_thread::yield();
    };
    server.start();
    server.require_begun();
    result<mirror_status> stopped = error{errc::internal, ""};
    std::thread command([&] { stopped = await(server.mirror->stop()); });
    is_blocked = false;
    command.join();
    // It was refused, or the copy had ended before.
    if (stopped.has_error()) BOOST_TEST(bool(stopped.error().code == errc::busy));
    server.stop();
}

BOOST_AUTO_TEST_CASE(a_hold_that_exceeds_its_time_changes_nothing) {
    mirrored_server server;
    fill(*server.stored_source);
    server.longest_hold = std::chrono::milliseconds(0);
    server.start();
    server.require_begun();
    server.wait_until_current();
    const auto ended = server.stop_complete();
    BOOST_TEST(bool(ended.state == mirror_state::following));
    BOOST_TEST(ended.problem.find("faster than the mirror") != std::string::npos);
    BOOST_TEST(server.holds == 5);
    BOOST_TEST(server.held == 0);
    BOOST_TEST(!server.is_marked_complete());
    // It still follows.
    save(*server.stored_source, make_picture(tenant(1), "later", "later"));
    server.wait_until_current();
    check_same(*server.stored_source, *server.stored_target);
}

BOOST_AUTO_TEST_CASE(a_gap_during_the_hold_leads_to_a_pass_outside_of_it) {
    mirrored_server server;
    fill(*server.stored_source);
    server.start();
    server.require_begun();
    server.wait_until_current();
    std::atomic<int> compared_while_held{0};
    server.while_held = [&server] {
        if (server.holds == 1) server.source.faulty_changes.gaps = 1;
    };
    server.source.faulty.before_find = [&] { compared_while_held += server.held; };
    check_completed(server, server.stop_complete());
    BOOST_TEST(server.holds == 2);
    BOOST_TEST(compared_while_held == 0);
    server.stop();
}

BOOST_AUTO_TEST_CASE(a_mark_that_cannot_be_stored_is_not_complete) {
    mirrored_server server;
    fill(*server.stored_source);
    std::atomic<bool> is_full{false};
    server.target.faulty_texts.on_write = [&is_full]() -> std::optional<error> {
        if (is_full) return error{errc::no_space, "the disk is full"};
        return std::nullopt;
    };
    server.while_held = [&is_full] { is_full = true; };
    server.start();
    server.require_begun();
    server.wait_until_current();
    const auto ended = server.stop_complete();
    BOOST_TEST(!ended.completed.has_value());
    BOOST_TEST(!server.is_marked_complete());
    BOOST_TEST(server.held == 0);
    server.stop();
}

BOOST_AUTO_TEST_CASE(a_stop_that_cannot_be_stored_is_reported_and_the_mirror_goes_on) {
    mirrored_server server;
    fill(*server.stored_source);
    server.start();
    server.require_begun();
    server.wait_until_current();
    server.block_state_file(true);
    const auto failed = server.stop_complete();
    BOOST_TEST(bool(failed.state == mirror_state::failed));
    BOOST_TEST(!failed.completed.has_value());
    BOOST_TEST(failed.problem.find("mirror.json") != std::string::npos);
    // Nothing is written to the target before the file says again that the mirror goes on.
    const auto written = await(server.stored_target->feed().last()).value();
    save(*server.stored_source, make_picture(tenant(1), "more", "more"));
    server.wait_for([](const mirror_status& now) { return now.problem.find("cannot create") == 0; });
    BOOST_TEST(await(server.stored_target->feed().last()).value() == written);
    server.block_state_file(false);
    server.wait_until_current();
    BOOST_TEST(!server.is_marked_complete());
    server.restart();
    server.wait_until_current();
    check_completed(server, server.stop_complete());
}

BOOST_AUTO_TEST_CASE(an_abandonment_that_cannot_be_stored_is_an_error_and_the_mirror_goes_on) {
    mirrored_server server;
    fill(*server.stored_source);
    server.start();
    server.require_begun();
    server.wait_until_current();
    server.block_state_file(true);
    const auto abandoned = await(server.mirror->abandon());
    BOOST_REQUIRE(abandoned.has_error());
    BOOST_TEST(abandoned.error().message.find("mirror.json") != std::string::npos);
    server.block_state_file(false);
    save(*server.stored_source, make_picture(tenant(1), "more", "more"));
    server.wait_until_current();
    server.restart();
    server.wait_until_current();
    BOOST_TEST(bool(await(server.mirror->abandon())->state == mirror_state::stopped));
}

BOOST_AUTO_TEST_CASE(a_backup_that_cannot_be_stored_as_complete_has_failed_and_continues_after_a_restart) {
    mirrored_server server;
    fill(*server.stored_source);
    server.while_held = [&server] { server.block_state_file(true); };
    server.start();
    server.require_begun(true);
    const auto failed = server.wait_for(mirror_state::failed);
    BOOST_TEST(!failed.completed.has_value());
    server.wait_for([](const mirror_status& now) {
        return now.problem.find("The next start of the server continues it") != std::string::npos;
    });
    server.while_held = nullptr;
    server.block_state_file(false);
    server.restart();
    check_completed(server, server.wait_for(mirror_state::stopped));
}

BOOST_AUTO_TEST_CASE(an_engine_that_keeps_nothing_is_refused_before_anything_is_copied) {
    mirrored_server server;
    fill(*server.stored_source);
    server.open_other = [] { return open_store("memory", "/nowhere"); };
    server.start();
    for (const bool is_backup : {false, true}) {
        const auto begun = server.begin("/copy", is_backup);
        BOOST_REQUIRE(begun.has_error());
        BOOST_TEST(bool(begun.error().code == errc::invalid_argument));
        BOOST_TEST(begun.error().message.find("does not keep") != std::string::npos);
        BOOST_TEST(bool(server.mirror->status().state == mirror_state::none));
        BOOST_TEST(!std::filesystem::exists(server.state_file()));
    }
    server.stop();
}

BOOST_AUTO_TEST_CASE(a_target_that_loses_something_when_it_is_closed_is_not_complete) {
    mirrored_server server;
    fill(*server.stored_source);
    server.while_held = [&server] {
        server.before_open = [&server] { erase(*server.stored_target, tenant(1), "key-1"); };
    };
    server.start();
    server.require_begun(true);
    const auto failed = server.wait_for(mirror_state::failed);
    BOOST_TEST(!failed.completed.has_value());
    BOOST_TEST(failed.problem.find("does not contain what was stored") != std::string::npos);
    server.while_held = server.before_open = nullptr;
    server.require_begun(true);
    check_completed(server, server.wait_for(mirror_state::stopped));
}

BOOST_AUTO_TEST_CASE(a_target_that_cannot_be_opened_again_is_not_complete) {
    mirrored_server server;
    fill(*server.stored_source);
    server.while_held = [&server] { server.failures = 1'000'000'000; };
    server.start();
    server.require_begun();
    server.wait_until_current();
    const auto failed = server.stop_complete();
    BOOST_TEST(!failed.completed.has_value());
    BOOST_TEST(failed.problem.find("the disk is not mounted") != std::string::npos);
    // It is opened later, and follows.
    server.while_held = nullptr;
    server.failures = 0;
    server.wait_until_current();
    check_completed(server, server.stop_complete());
}

BOOST_AUTO_TEST_CASE(a_mirror_with_missing_items_is_not_complete_and_follows) {
    mirrored_server server;
    fill(*server.stored_source);
    damage_one_image(server);
    server.start();
    server.require_begun();
    server.wait_until_current();
    const auto ended = server.stop_complete();
    BOOST_TEST(bool(ended.state == mirror_state::following));
    BOOST_TEST(ended.problem.find("'key-1'") != std::string::npos);
    BOOST_TEST(ended.damage.size() == 1U);
    BOOST_TEST(server.holds == 0);
    BOOST_TEST(!server.is_marked_complete());
    // The image is replaced, which mends it.
    erase(*server.stored_source, tenant(1), "key-1");
    server.wait_until_current();
    check_completed(server, server.stop_complete());
}

BOOST_AUTO_TEST_CASE(a_backup_ends_by_itself) {
    mirrored_server server;
    fill(*server.stored_source);
    server.start();
    server.require_begun(true);
    check_completed(server, server.wait_for(mirror_state::stopped));
    // Also after a restart in the middle.
    save(*server.stored_source, make_picture(tenant(1), "more", "more"));
    server.require_begun(true);
    server.restart();
    check_completed(server, server.wait_for(mirror_state::stopped));
}

BOOST_AUTO_TEST_CASE(a_backup_ends_with_its_first_failure) {
    mirrored_server server;
    fill(*server.stored_source);
    std::atomic<bool> is_full{true};
    server.target.faulty.on_save = [&is_full]() -> std::optional<error> {
        if (is_full) return error{errc::no_space, "the disk is full"};
        return std::nullopt;
    };
    server.start();
    server.require_begun(true);
    auto failed = server.wait_for(mirror_state::failed);
    BOOST_TEST(!failed.is_retried);
    BOOST_TEST(!server.is_marked_complete());
    server.restart();
    failed = server.mirror->status();
    BOOST_TEST(bool(failed.state == mirror_state::failed));
    BOOST_TEST(failed.problem.find("the disk is full") != std::string::npos);
    is_full = false;
    server.require_begun(true);
    check_completed(server, server.wait_for(mirror_state::stopped));
    server.stop();
}

BOOST_AUTO_TEST_CASE(a_backup_lacks_damaged_items_only_if_that_was_asked_for) {
    mirrored_server server;
    fill(*server.stored_source);
    damage_one_image(server);
    server.start();
    server.require_begun(true);
    const auto failed = server.wait_for(mirror_state::failed);
    BOOST_TEST(failed.problem.find("'key-1'") != std::string::npos);
    BOOST_TEST(!server.is_marked_complete());

    start_request request;
    request.target = {"memory", "/copy", {}};
    request.is_backup = true;
    request.skips_damaged = true;
    BOOST_REQUIRE(await(server.mirror->start(request)).has_value());
    const auto ended = server.wait_for(mirror_state::stopped);
    BOOST_REQUIRE(ended.completed.has_value());
    BOOST_TEST(ended.completed->damaged == 1U);
    BOOST_TEST(server.is_marked_complete());
    BOOST_TEST(differences(*server.stored_source, *server.stored_target).size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_backup_of_a_store_with_entries_out_of_service_lacks_them_only_if_that_was_asked_for) {
    mirrored_server server;
    fill(*server.stored_source);
    server.start();
    server.require_begun(true);
    server.wait_for(mirror_state::stopped);
    server.stop();
    // As after a start of the engine that could not read an image.
    server.source.set_aside = 1;
    server.source.faulty.on_find = [](const std::string& key) -> std::optional<error> {
        if (key == "key-1") return error{errc::not_found, "no such image"};
        return std::nullopt;
    };
    server.start();
    server.require_begun(true);
    const auto failed = server.wait_for(mirror_state::failed);
    BOOST_TEST(failed.problem.find("'key-1'") != std::string::npos);
    BOOST_TEST(failed.done.damaged == 1U);
    BOOST_TEST(!server.is_marked_complete());

    start_request request;
    request.target = {"memory", "/copy", {}};
    request.is_backup = request.verifies = request.skips_damaged = true;
    BOOST_REQUIRE(await(server.mirror->start(request)).has_value());
    const auto ended = server.wait_for(mirror_state::stopped);
    BOOST_REQUIRE(ended.completed.has_value());
    BOOST_TEST(ended.completed->damaged == 1U);
    BOOST_TEST(ended.verified->is_same);
    BOOST_TEST(server.is_marked_complete());
    BOOST_TEST(await(server.stored_target->images().find(tenant(1), "key-1")).has_value());
    server.stop();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::mirror::test
