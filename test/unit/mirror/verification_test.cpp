// SPDX-License-Identifier: Apache-2.0
// Verifications of a mirror that follows: what they find, repair, and do not mistake for a difference.
#include "mirrored_server.hpp"

#include <string>

namespace gallery::mirror::test {

BOOST_AUTO_TEST_SUITE(verifications)

BOOST_AUTO_TEST_CASE(every_body_of_equal_stores_is_read) {
    mirrored_server server;
    fill(*server.stored_source);
    std::uint64_t bodies = 0;
    const auto add = [&bodies](const image_record& record) { bodies += record.preview_is_original ? 1 : 2; };
    for (const auto& one : await(server.stored_source->images().scan(std::nullopt, "", 1'000)).value().items)
        add(*one);
    for (const auto& one : all_kept(*server.stored_source))
        add(*one.record);
    server.start();
    server.require_begun();
    server.wait_until_current();
    const auto now = server.verify();
    BOOST_REQUIRE(now.verified.has_value());
    BOOST_TEST(now.verified->is_same);
    BOOST_TEST(now.verified->rounds == 1U);
    BOOST_TEST(now.verified->bodies == bodies);
    BOOST_TEST(now.verified->differences.empty());
    BOOST_TEST(bool(now.state == mirror_state::following));
}

BOOST_AUTO_TEST_CASE(differences_are_reported_and_repaired) {
    mirrored_server server;
    fill(*server.stored_source);
    server.start();
    server.require_begun();
    server.wait_until_current();
    auto& target = *server.stored_target;
    erase(target, tenant(1), "key-1");
    save(target, make_picture(tenant(2), "key-2", "other bytes"));
    save(target, make_picture(tenant(2), "only here", "surplus"));
    save_document(target, "user", "id-0", "other text");
    const auto dropped = all_kept(target).front().record;
    BOOST_REQUIRE(await(target.images().drop_kept(dropped->id, dropped->content_rev)).has_value());
    const auto now = server.verify();
    BOOST_REQUIRE(now.verified.has_value());
    for (const char* word : {"'key-1'", "'key-2'", "'only here'", "user/id-0", "kept version"})
        BOOST_TEST(mentions(now.verified->differences, word), word);
    BOOST_TEST(now.verified->is_same);
    BOOST_TEST(now.verified->rounds == 2U);
    check_same(*server.stored_source, *server.stored_target);
}

BOOST_AUTO_TEST_CASE(damaged_bodies_of_the_mirror_are_found_and_stored_again) {
    mirrored_server server;
    fill(*server.stored_source);
    // Of one image and of one kept version, until they are stored anew.
    const auto kept = all_kept(*server.stored_source);
    const auto old = kept[kept.size() / 2].record;
    std::atomic<revision> image_rev{0};
    std::atomic<revision> kept_rev{0};
    server.target.faulty.on_read = [&](const image_record& record) -> std::optional<error> {
        if (record.content_rev != image_rev && record.content_rev != kept_rev) return std::nullopt;
        return error{errc::corrupt, "its bytes do not match"};
    };
    server.start();
    server.require_begun();
    server.wait_until_current();
    image_rev = await(server.stored_target->images().find(tenant(1), "key-1")).value()->content_rev;
    for (const auto& one : all_kept(*server.stored_target)) {
        if (one.record->id == old->id) kept_rev = one.record->content_rev;
    }
    const auto now = server.verify();
    BOOST_REQUIRE(now.verified.has_value());
    BOOST_TEST(mentions(now.verified->differences, "'key-1'"));
    BOOST_TEST(mentions(now.verified->differences, "kept version"));
    BOOST_TEST(now.verified->is_same);
    check_same(*server.stored_source, *server.stored_target);
    server.stop();
}

BOOST_AUTO_TEST_CASE(writes_during_a_verification_are_no_differences) {
    mirrored_server server;
    auto& source = *server.stored_source;
    fill(source, 60);
    int count = 0;
    const auto write = [&source, &count] {
        const int i = ++count;
        const auto text = std::to_string(i);
        const auto some_tenant = tenant(static_cast<unsigned>(i) % 3);
        const auto key = "new-" + std::to_string(i % 9);
        save(source, make_picture(tenant(1), "busy", "write " + text),
             {precondition::any(), previous_version::keep(1'800'000'000'000 + i)});
        save(source, make_picture(some_tenant, key, text));
        if (i % 5 == 4)
            erase(source, some_tenant, key,
                  {precondition::any(), previous_version::keep(1'900'000'000'000 + i)});
        save_document(source, "user", "id-" + std::to_string(i % 150), text);
        if (i % 2 == 0) return;
        const auto versions = all_kept(source);
        const auto& record = *versions[versions.size() - 1 - static_cast<std::size_t>(i) % 3].record;
        const auto dropped = await(source.images().drop_kept(record.id, record.content_rev));
        demand(dropped.has_value(), message_of(dropped));
    };
    // Between two reads of the mirror, from a thread of its own, as the mirror's thread is within its copy.
    std::atomic<int> left{0};
    server.source.faulty.before_find = [&write, &left] {
        if (left == 0) return;
        --left;
        std::thread(write).join();
    };
    server.start();
    server.require_begun();
    for (int i = 0; i < 3; ++i) {
        server.wait_until_current();
        left = 100;
        const auto now = server.verify();
        BOOST_TEST(left == 0);
        BOOST_REQUIRE(now.verified.has_value());
        BOOST_TEST(now.verified->is_same);
        for (const auto& text : now.verified->differences)
            BOOST_ERROR(text);
    }
    server.wait_until_current();
    check_same(source, *server.stored_target);
    server.stop();
}

BOOST_AUTO_TEST_CASE(changes_that_were_not_applied_before_are_no_differences) {
    scratch_store source("memory");
    scratch_store target("memory");
    fill(*source);
    copier all(*source, *target, "the source", small_pages());
    require(copy_all(all));
    save(*source, make_picture(tenant(1), "key-1", "newer"),
         {precondition::any(), previous_version::keep(1'950'000'000'000)});
    erase(*source, tenant(2), "key-2");
    save_document(*source, "user", "id-0", "newer");
    require(await(all.begin_verification()));
    require_copied(all);
    BOOST_TEST(bool(await(all.follow()).value() == copier::reach::end));
    BOOST_TEST(all.is_verified());
    for (const auto& text : all.differences())
        BOOST_ERROR(text);
    check_same(*source, *target);
}

BOOST_AUTO_TEST_CASE(a_dropped_version_explains_no_difference_of_another_one) {
    scratch_store source("memory");
    scratch_store target("memory");
    const auto first = make_picture(tenant(1), "a", "first");
    for (int i = 0; i < 3; ++i) {
        auto next = make_picture(tenant(1), "a", "text " + std::to_string(i));
        next.record.id = first.record.id;
        next.record.public_key = first.record.public_key;
        save(*source, next, {precondition::any(), previous_version::keep(1'800'000'000'000 + i)});
    }
    copier all(*source, *target, "the source", small_pages());
    require(copy_all(all));
    const auto lost = all_kept(*target).front().record;  // the newer one of two
    BOOST_REQUIRE(await(target->images().drop_kept(lost->id, lost->content_rev)).has_value());
    require(await(all.begin_verification()));
    require_copied(all);
    const auto old = all_kept(*source).back().record;
    BOOST_REQUIRE(await(source->images().drop_kept(old->id, old->content_rev)).has_value());
    BOOST_TEST(bool(await(all.follow()).value() == copier::reach::end));
    BOOST_TEST(all.differences().size() == 1U);
    check_same(*source, *target);
}

BOOST_AUTO_TEST_CASE(a_gap_during_a_verification_does_not_hide_a_difference) {
    mirrored_server server;
    fill(*server.stored_source);
    server.start();
    server.require_begun();
    server.wait_until_current();
    std::atomic<revision> damaged{
        await(server.stored_target->images().find(tenant(1), "key-1")).value()->content_rev};
    server.stop();
    server.target.faulty.on_read = [&damaged](const image_record& record) -> std::optional<error> {
        if (record.content_rev != damaged) return std::nullopt;
        return error{errc::corrupt, "its bytes do not match"};
    };
    server.start();
    server.wait_until_current();
    std::atomic<bool> is_lost{false};
    server.target.faulty.before_find = [&] {
        if (!is_lost.exchange(true)) server.source.faulty_changes.gaps = 2;
    };
    const auto now = server.verify();
    BOOST_REQUIRE(now.verified.has_value());
    BOOST_TEST(mentions(now.verified->differences, "'key-1'"));
    check_same(*server.stored_source, *server.stored_target);
    server.stop();
}

BOOST_AUTO_TEST_CASE(a_verification_ends_although_changes_are_lost_all_the_time) {
    for (const bool is_backup : {false, true}) {
        mirrored_server server;
        fill(*server.stored_source);
        server.target.faulty.before_find = [&server] {
            if (server.mirror->status().is_verifying) server.source.faulty_changes.gaps = 1;
        };
        server.start();
        if (is_backup) {
            start_request request;
            request.target = {"memory", "/copy", {}};
            request.is_backup = request.verifies = true;
            BOOST_REQUIRE(await(server.mirror->start(request)).has_value());
            const auto failed = server.wait_for(mirror_state::failed);
            BOOST_TEST(failed.problem.find("could not be verified") != std::string::npos);
            BOOST_TEST(!server.is_marked_complete());
        } else {
            server.require_begun();
            server.wait_until_current();
            const auto now = server.verify();
            BOOST_TEST(!now.verified.has_value());
            BOOST_TEST(now.problem.find("could not be verified") != std::string::npos);
            // It goes on, and can be completed.
            server.wait_until_current();
            BOOST_TEST(bool(server.stop_complete().state == mirror_state::stopped));
            BOOST_TEST(server.is_marked_complete());
        }
        server.stop();
    }
}

BOOST_AUTO_TEST_CASE(a_mirror_that_cannot_be_repaired_fails_and_is_not_complete) {
    mirrored_server server;
    fill(*server.stored_source);
    server.target.faulty.on_read = [](const image_record& record) -> std::optional<error> {
        if (record.key != "key-1") return std::nullopt;
        return error{errc::corrupt, "the disk loses what is written"};
    };
    server.start();
    server.require_begun();
    server.wait_until_current();
    const auto now = server.verify();
    BOOST_TEST(bool(now.state == mirror_state::failed));
    BOOST_TEST(!now.is_retried);
    BOOST_TEST(now.problem.find("'key-1'") != std::string::npos);
    BOOST_REQUIRE(now.verified.has_value());
    BOOST_TEST(!now.verified->is_same);
    BOOST_TEST(!server.is_marked_complete());
    server.restart();
    BOOST_TEST(bool(server.mirror->status().state == mirror_state::failed));

    // Neither is a backup that is verified.
    start_request request;
    request.target = {"memory", "/copy", {}};
    request.is_backup = request.verifies = true;
    BOOST_REQUIRE(await(server.mirror->start(request)).has_value());
    server.wait_for(mirror_state::failed);
    BOOST_TEST(!server.is_marked_complete());
    server.target.faulty.on_read = nullptr;
    BOOST_REQUIRE(await(server.mirror->start(request)).has_value());
    BOOST_TEST(server.wait_for(mirror_state::stopped).verified->is_same);
    BOOST_TEST(server.is_marked_complete());
}

BOOST_AUTO_TEST_CASE(a_stop_during_a_verification_takes_place_after_it) {
    mirrored_server server;
    fill(*server.stored_source);
    server.start();
    server.require_begun();
    server.wait_until_current();
    erase(*server.stored_target, tenant(1), "key-1");
    BOOST_REQUIRE(await(server.mirror->verify()).has_value());
    const auto ended = server.stop_complete();
    BOOST_TEST(bool(ended.state == mirror_state::stopped));
    BOOST_TEST(ended.verified->is_same);
    BOOST_TEST(server.is_marked_complete());
    check_same(*server.stored_source, *server.stored_target);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::mirror::test
