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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::mirror::test
