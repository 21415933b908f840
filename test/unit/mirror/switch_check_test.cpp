// SPDX-License-Identifier: Apache-2.0
// What a switch compares: a mirror that lacks something is refused, and writes meanwhile are no differences.
#include "switched_server.hpp"

#include <string>
#include <thread>

namespace gallery::mirror::test {

namespace {

/// Nothing has changed, and the message names @p item. A verification repairs the mirror.
void check_refused(switched_server& server, const std::string& item) {
    const auto done = await(server.mirror->switch_over());
    BOOST_REQUIRE(done.has_error());
    BOOST_TEST(bool(done.error().code == errc::corrupt));
    for (const auto& word :
         {std::string("nothing has changed"), item, std::string("gallery-admin mirror verify")})
        BOOST_TEST(done.error().message.find(word) != std::string::npos, done.error().message);
    BOOST_TEST(server.active() == "/a");
    BOOST_TEST(!std::filesystem::exists(server.active_file));
    BOOST_TEST(!server.store->served().gate().is_closed());
}

void check_switched_after_verification(switched_server& server) {
    server.store->on_seal = nullptr;
    server.wait_until_current();
    BOOST_REQUIRE(await(server.mirror->verify()).has_value());
    const auto now = server.wait_for([](const mirror_status& s) { return !s.is_verifying; });
    BOOST_REQUIRE(now.verified.has_value());
    BOOST_TEST(!now.verified->differences.empty());
    server.switch_over();
    server.check_switched_to("/b");
}

void change_title(storage_engine& of, const std::string& key, const std::string& title) {
    image_record record = *await(of.images().find(tenant(1), key)).value();
    record.title = title;
    demand_committed(await(of.images().update(std::move(record), precondition::any())));
}

void erase_document(storage_engine& of, const std::string& kind, const std::string& id) {
    demand_committed(await(of.documents().erase(kind, id, precondition::any())));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(switch_checks)

BOOST_AUTO_TEST_CASE(another_record_with_equal_counts_is_found) {
    switched_server server;
    server.start_with_mirror();
    change_title(*server.stored_b, "key-1", "another title");
    check_refused(server, "'key-1'");
    check_switched_after_verification(server);
}

BOOST_AUTO_TEST_CASE(another_image_with_equal_counts_is_found) {
    for (const bool is_before : {false, true}) {
        switched_server server;
        server.start_with_mirror();
        // Of the same size, under another key.
        auto moved = make_picture(tenant(1), is_before ? "aaa" : "zzz", "picture 1", 701);
        erase(*server.stored_b, tenant(1), "key-1");
        save(*server.stored_b, moved);
        check_refused(server, is_before ? "'aaa'" : "'key-1'");
        check_switched_after_verification(server);
    }
}

BOOST_AUTO_TEST_CASE(documents_are_compared) {
    switched_server server;
    server.start_with_mirror();
    erase_document(*server.stored_b, "user", "id-148");
    check_refused(server, "user/id-148 is missing in the mirror");
    check_switched_after_verification(server);
    // The other way round, the store that was served before is compared.
    save_document(*server.stored_a, "user", "id-0", "another text");
    const auto done = await(server.mirror->switch_over());
    BOOST_REQUIRE(done.has_error());
    BOOST_TEST(done.error().message.find("user/id-0 differs in the mirror") != std::string::npos);
    BOOST_TEST(server.active() == "/b");
}

BOOST_AUTO_TEST_CASE(another_kept_version_with_equal_counts_is_found) {
    switched_server server;
    server.start_with_mirror();
    const auto kept = all_kept(*server.stored_b);
    const auto& lost = kept[kept.size() / 2];
    const auto original =
        await(server.stored_b->images().read(lost.record, representation::original)).value();
    body preview;
    if (!lost.record->preview_is_original)
        preview = await(server.stored_b->images().read(lost.record, representation::preview)).value();
    BOOST_REQUIRE(
        await(server.stored_b->images().drop_kept(lost.record->id, lost.record->content_rev)).has_value());
    image_record other = *lost.record;
    other.title = "another title";
    demand_committed(await(server.stored_b->images().save_kept(std::move(other), original, preview,
                                                               lost.kept_time, lost.is_erased)));
    check_refused(server, "kept versions of the image " + to_string(lost.record->id));
    check_switched_after_verification(server);
}

BOOST_AUTO_TEST_CASE(a_mirror_that_acknowledges_an_update_and_loses_it_is_refused) {
    switched_server server;
    server.start_with_mirror();
    std::atomic<bool> is_losing{true};
    server.b.faulty.loses = [&is_losing](const image_record&) { return is_losing.load(); };
    change_title(server.served(), "key-1", "a newer title");
    server.wait_until_current();
    check_refused(server, "'key-1' of tenant");
    is_losing = false;
    check_switched_after_verification(server);
}

BOOST_AUTO_TEST_CASE(the_last_changes_are_compared_while_writes_are_held) {
    for (const bool is_image : {true, false}) {
        switched_server server;
        server.start_with_mirror();
        std::atomic<bool> is_losing{true};
        server.b.faulty.loses = [&is_losing](const image_record&) { return is_losing.load(); };
        server.b.faulty_texts.loses = [&is_losing](const document_write& part) {
            return is_losing && part.doc.kind == "user";
        };
        // As a write that had begun before the hold.
        server.store->on_seal = [&server, is_image] {
            if (is_image) {
                change_title(*server.stored_a, "key-1", "the last title");
            } else {
                erase_document(*server.stored_a, "user", "id-2");
            }
        };
        check_refused(server, is_image ? "'key-1'" : "user/id-2 is only in the mirror");
        is_losing = false;
        check_switched_after_verification(server);
    }
}

BOOST_AUTO_TEST_CASE(figures_that_differ_are_refused) {
    switched_server server;
    server.start_with_mirror();
    server.b.faulty.on_usage = [](tenant_usage& of) { ++of.images.count; };
    check_refused(server, "and the mirror 28 images");
}

BOOST_AUTO_TEST_CASE(what_is_read_while_writes_are_held_does_not_depend_on_the_size_of_the_store) {
    for (const unsigned images : {30U, 300U}) {
        switched_server server;
        fill(*server.stored_a, images);
        server.start();
        BOOST_REQUIRE(server.begin().has_value());
        server.wait_until_current();
        std::atomic<bool> is_held{false};
        std::atomic<int> finds{0};
        std::atomic<int> scans{0};
        for (auto* store : {&server.a, &server.b}) {
            store->faulty.before_find = [&] { finds += is_held ? 1 : 0; };
            store->faulty.before_scan = [&] { scans += is_held ? 1 : 0; };
        }
        server.store->on_seal = [&] {
            change_title(*server.stored_a, "key-1", "the last title");
            is_held = true;
        };
        server.store->before_exchange = [&is_held] { is_held = false; };
        server.switch_over();
        BOOST_TEST(scans == 0);
        BOOST_TEST(finds > 2);  // that one is copied, and then compared
        BOOST_TEST(finds <= 6);
        server.check_switched_to("/b");
        server.stop();
    }
}

BOOST_AUTO_TEST_CASE(writes_during_the_comparison_are_no_differences) {
    switched_server server;
    fill(*server.stored_a, 120);
    server.start();
    BOOST_REQUIRE(server.begin().has_value());
    server.wait_until_current();
    int count = 0;
    const auto write = [&server, &count] {
        auto& source = server.served();
        const int i = ++count;
        const auto text = std::to_string(i);
        const auto some_tenant = tenant(static_cast<unsigned>(i) % 3);
        const auto key = "new-" + std::to_string(i % 9);
        save(source, make_picture(tenant(1), "busy", "write " + text),
             {precondition::any(), previous_version::keep(1'800'000'000'000 + i)});
        save(source, make_picture(some_tenant, key, text));
        change_title(source, "key-1", "title " + text);
        if (i % 5 == 4) {
            erase(source, some_tenant, key,
                  {precondition::any(), previous_version::keep(1'900'000'000'000 + i)});
        }
        save_document(source, "user", "id-" + std::to_string(i % 150), text);
        const auto versions = all_kept(source);
        const auto& record = *versions[versions.size() - 1 - static_cast<std::size_t>(i) % 3].record;
        const auto dropped = await(source.images().drop_kept(record.id, record.content_rev));
        demand(dropped.has_value(), message_of(dropped));
    };
    // From a thread of its own, as the mirror's thread is within its comparison.
    std::atomic<int> left{0};
    std::atomic<bool> is_writing{false};
    const auto write_once = [&write, &left, &is_writing] {
        if (left == 0 || is_writing.exchange(true)) return;
        --left;
        std::thread(write).join();
        is_writing = false;
    };
    for (auto* store : {&server.a, &server.b}) {
        store->faulty.before_scan = write_once;
        store->faulty.before_find = write_once;
    }
    for (int i = 0; i < 4; ++i) {
        server.wait_until_current();
        server.store->on_seal = [&left] { left = 0; };  // otherwise the switch would wait for itself
        const int before = count;
        left = 200;
        server.switch_over();
        BOOST_TEST(count > before + 20);
        server.check_switched_to(i % 2 == 0 ? "/b" : "/a");
    }
    server.stop();
}

BOOST_AUTO_TEST_CASE(an_end_of_the_server_interrupts_the_comparison) {
    switched_server server;
    server.start_with_mirror();
    std::optional<std::thread> ending;
    // Each page takes long enough for the other thread to begin.
    server.a.faulty.before_scan = [&] {
        if (!ending) ending.emplace([&server] { server.mirror->shut_down(); });
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    };
    const auto done = await(server.mirror->switch_over());
    BOOST_REQUIRE(done.has_error());
    BOOST_TEST(done.error().message.find("nothing has changed") != std::string::npos, done.error().message);
    ending->join();
    server.stop();
    BOOST_TEST(!std::filesystem::exists(server.active_file));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::mirror::test
