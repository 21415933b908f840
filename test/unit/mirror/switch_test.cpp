// SPDX-License-Identifier: Apache-2.0
// The switch of a server to its mirror, and back.
#include "descriptors.hpp"
#include "switched_server.hpp"

#include <map>
#include <thread>

namespace gallery::mirror::test {

namespace {

errc refused(const result<mirror_status>& done, const std::string& word = {}) {
    BOOST_REQUIRE(done.has_error());
    for (const auto& each : {std::string("nothing has changed"), word})
        BOOST_TEST(done.error().message.find(each) != std::string::npos, done.error().message);
    return done.error().code;
}

errc refused(switched_server& server, const std::string& word = {}) {
    return refused(await(server.mirror->switch_over()), word);
}

/// While clients write without a pause, the stores may have to be compared again, and a switch is refused.
void switch_at_last(switched_server& server) {
    const auto before = server.active();
    result<mirror_status> done = error{errc::busy, {}};
    for (const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
         !done && std::chrono::steady_clock::now() < until;) {
        server.wait_for([](const mirror_status& now) { return now.can_switch; });
        done = await(server.mirror->switch_over());
        if (!done) BOOST_REQUIRE(bool(refused(done) == errc::busy));
    }
    BOOST_REQUIRE_MESSAGE(done.has_value(), message_of(done));
    BOOST_REQUIRE(server.active() != before);
}

/// From the exchange on, while the flag is set, the old store cannot be written.
void break_old_store_at_exchange(switched_server& server, std::atomic<bool>& is_broken) {
    server.a.faulty_texts.on_write = [&is_broken]() -> std::optional<error> {
        if (is_broken) return error{errc::io_error, "the disk is broken"};
        return std::nullopt;
    };
    server.store->before_exchange = [&is_broken] { is_broken = true; };
}

/// A client that writes one document again and again, and reads what it has written.
class writer {
public:
    writer(switched_server& of, int number)
        : server_(of), id_("writer-" + std::to_string(number)), thread_([this] { run(); }) {}
    ~writer() { stop(); }

    void stop() {
        is_ending_ = true;
        if (thread_.joinable()) thread_.join();
    }
    [[nodiscard]] int count() const { return count_; }
    [[nodiscard]] int failures() const { return failures_; }
    [[nodiscard]] const std::string& id() const { return id_; }
    [[nodiscard]] const std::string& last() const { return last_; }

private:
    void run() {
        while (!is_ending_) {
            const auto text = "{\"n\":" + std::to_string(count_ + 1) + "}";
            // As callers do: with the revision that was read, again if that was lost.
            const auto known = await(server_.served().documents().find("user", id_));
            const auto condition = known ? precondition::match(known->rev) : precondition::absent();
            const auto saved = await(server_.served().documents().save({"user", id_, text, 0}, condition));
            if (!saved) ++failures_;
            if (!saved || saved->status != write_status::committed) continue;
            last_ = text;
            ++count_;
            const auto seen = await(server_.served().documents().find("user", id_));
            if (!seen || seen->body != text) ++failures_;
        }
    }

    switched_server& server_;
    const std::string id_;
    std::string last_;
    std::atomic<int> count_{0};
    std::atomic<int> failures_{0};
    std::atomic<bool> is_ending_{false};
    std::thread thread_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(switches)

BOOST_AUTO_TEST_CASE(the_mirror_becomes_the_store_and_the_store_the_mirror) {
    switched_server server;
    server.start_with_mirror();
    const auto before = server.mirror->status();
    BOOST_TEST(before.can_switch);
    BOOST_TEST(before.switches == 0U);
    server.switch_over();
    server.check_switched_to("/b");
    const auto now = server.mirror->status();
    BOOST_TEST(now.switches == 1U);
    BOOST_REQUIRE(now.switched.has_value());
    BOOST_TEST(now.switched->from_path == "/a");
    BOOST_TEST(now.switched->held.count() > 0);
    // Both directions: what is written now is in b, and then in a.
    save(server.served(), make_picture(tenant(1), "later", "later"));
    BOOST_TEST(await(server.stored_b->images().find(tenant(1), "later")).has_value());
    server.check_switched_to("/b");
    BOOST_TEST(await(server.stored_a->images().find(tenant(1), "later")).has_value());
    BOOST_TEST(now.done.images_copied == 0U);  // nothing was copied again
}

BOOST_AUTO_TEST_CASE(back_and_forth) {
    switched_server server;
    server.start_with_mirror();
    for (int i = 0; i < 6; ++i) {
        save(server.served(), make_picture(tenant(1), "k" + std::to_string(i), "round " + std::to_string(i)),
             {precondition::any(), previous_version::keep(5)});
        save(server.served(), make_picture(tenant(1), "again", "round " + std::to_string(i)),
             {precondition::any(), previous_version::keep(5)});
        server.wait_until_current();
        server.switch_over();
        server.check_switched_to(i % 2 == 0 ? "/b" : "/a");
        BOOST_TEST(server.open == 2);
    }
    BOOST_TEST(server.mirror->status().switches == 6U);
}

BOOST_AUTO_TEST_CASE(the_caches_move_after_the_switch_while_writes_go_on) {
    switched_server server;
    server.start_with_mirror();
    const auto* const first = &server.store->engine();
    int moves = 0;
    bool is_former = false;
    bool is_written = false;
    server.store->on_move_caches = [&](storage_engine& former, const known_store& place) {
        ++moves;
        is_former = &former != &server.store->engine() && place.address.path == "/a";
        const auto saved =
            await(server.served().documents().save({"user", "meanwhile", "{}", 0}, precondition::absent()));
        is_written = saved && saved->status == write_status::committed;
    };
    server.switch_over();
    BOOST_TEST(&server.store->engine() != first);
    BOOST_TEST(moves == 1);
    BOOST_TEST(is_former);
    BOOST_TEST(is_written);
}

BOOST_AUTO_TEST_CASE(it_lasts_over_restarts) {
    switched_server server;
    server.start_with_mirror();
    server.switch_over();
    save(server.served(), make_picture(tenant(1), "later", "later"));
    server.restart();
    server.check_switched_to("/b");
    save(server.served(), make_picture(tenant(1), "latest", "latest"));
    server.wait_until_current();
    server.switch_over();
    server.restart();
    server.check_switched_to("/a");
    BOOST_TEST(await(server.served().images().find(tenant(1), "latest")).has_value());
}

BOOST_AUTO_TEST_CASE(while_clients_write_nothing_fails_and_nothing_is_lost) {
    switched_server server;
    server.start_with_mirror();
    std::vector<std::unique_ptr<writer>> writers;
    for (int i = 0; i < 4; ++i)
        writers.push_back(std::make_unique<writer>(server, i));
    for (int i = 0; i < 6; ++i) {
        const int before = writers[0]->count();
        while (writers[0]->count() < before + 20)
            std::this_thread::yield();
        switch_at_last(server);
    }
    for (auto& each : writers) {
        each->stop();
        BOOST_TEST(each->failures() == 0);
        BOOST_TEST(await(server.served().documents().find("user", each->id()))->body == each->last());
    }
    server.check_switched_to("/a");
}

BOOST_AUTO_TEST_CASE(writes_wait_while_the_last_changes_are_applied) {
    switched_server server;
    server.start_with_mirror();
    std::optional<std::thread> client;
    std::atomic<bool> is_written{false};
    bool was_written_early = true;
    server.store->on_seal = [&] {
        client.emplace([&] {
            save_document(server.served(), "user", "while-sealed", "{}");
            is_written = true;
        });
    };
    server.store->after_exchange = [&] { was_written_early = is_written; };
    server.switch_over();
    client->join();
    BOOST_TEST(!was_written_early);
    BOOST_TEST(is_written);
    BOOST_TEST(await(server.stored_b->documents().find("user", "while-sealed")).has_value());
    server.check_switched_to("/b");
}

BOOST_AUTO_TEST_CASE(without_a_mirror_that_follows_nothing_is_switched) {
    switched_server server;
    server.start();
    BOOST_TEST(bool(await(server.mirror->switch_over()).error().code == errc::not_found));
    fill(*server.stored_a);
    start_request request;
    request.target = switched_server::address("/b");
    request.is_backup = true;
    std::atomic<bool> is_blocked{true};
    server.a.faulty.before_find = [&is_blocked] {
        while (is_blocked)
            std::this_thread::yield();
    };
    BOOST_REQUIRE(await(server.mirror->start(request)).has_value());
    const bool could_switch = server.mirror->status().can_switch;
    result<mirror_status> refused_while_copying = error{errc::internal, {}};
    std::thread command([&] { refused_while_copying = await(server.mirror->switch_over()); });
    is_blocked = false;
    command.join();
    BOOST_TEST(!could_switch);
    BOOST_TEST(bool(refused(refused_while_copying) == errc::busy));
    server.wait_for([](const mirror_status& now) { return now.state == mirror_state::stopped; });
    BOOST_TEST(bool(await(server.mirror->switch_over()).error().code == errc::busy));
    BOOST_TEST(server.active() == "/a");
}

BOOST_AUTO_TEST_CASE(a_store_that_cannot_be_served_from_is_refused) {
    switched_server server;
    server.may_be = []() -> result<void> {
        return error{errc::invalid_argument, "several servers share it; nothing has changed"};
    };
    server.start_with_mirror();
    BOOST_TEST(!server.mirror->status().can_switch);
    BOOST_TEST(bool(refused(server) == errc::invalid_argument));
    server.check_not_switched();
}

BOOST_AUTO_TEST_CASE(a_mirror_that_may_lack_something_is_refused) {
    switched_server server;
    fill(*server.stored_a);
    server.a.faulty.on_read = [](const image_record& record) -> std::optional<error> {
        if (record.key != "key-1") return std::nullopt;
        return error{errc::corrupt, "its bytes do not match"};
    };
    server.start();
    BOOST_REQUIRE(server.begin().has_value());
    server.wait_until_current();
    BOOST_TEST(!server.mirror->status().can_switch);
    BOOST_TEST(bool(refused(server) == errc::corrupt));
    BOOST_TEST(server.active() == "/a");
}

BOOST_AUTO_TEST_CASE(a_mirror_with_other_counts_is_refused) {
    switched_server server;
    server.start_with_mirror();
    erase(*server.stored_b, tenant(1), "key-1");
    BOOST_TEST(bool(refused(server, "gallery-admin mirror verify") == errc::corrupt));
    BOOST_TEST(server.active() == "/a");
    BOOST_TEST(!std::filesystem::exists(server.active_file));
    // A verification repairs it.
    BOOST_REQUIRE(await(server.mirror->verify()).has_value());
    BOOST_TEST(bool(refused(server) == errc::busy));
    server.wait_for([](const mirror_status& now) { return !now.is_verifying; });
    server.switch_over();
    server.check_switched_to("/b");
}

BOOST_AUTO_TEST_CASE(a_switch_that_takes_too_long_is_given_up) {
    switched_server server;
    server.switch_timeout = std::chrono::milliseconds(0);
    server.start_with_mirror();
    BOOST_TEST(bool(refused(server, "MIRROR_SWITCH_TIMEOUT") == errc::busy));
    server.check_not_switched();
}

BOOST_AUTO_TEST_CASE(a_write_that_does_not_end_prevents_a_switch_and_others_go_on) {
    switched_server server;
    server.switch_timeout = std::chrono::milliseconds(20);
    server.start_with_mirror();
    {
        const auto stuck = server.store->served().gate().try_pass();
        BOOST_TEST(bool(refused(server, "had begun before") == errc::busy));
    }
    server.check_not_switched();
}

BOOST_AUTO_TEST_CASE(a_limit_that_is_reached_before_the_decision_changes_nothing) {
    switched_server server;
    server.switch_timeout = std::chrono::milliseconds(20);
    server.start_with_mirror();
    server.store->on_hold_on = [&server] {
        while (server.store->served().gate().is_closed())
            std::this_thread::yield();
    };
    BOOST_TEST(bool(refused(server) == errc::busy));
    server.store->on_hold_on = nullptr;
    server.check_not_switched();
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_written_changes_nothing) {
    switched_server server;
    const auto file = server.active_file;
    server.active_file = file + ".missing/active-store.json";
    server.start_with_mirror();
    BOOST_TEST(bool(refused(server, "cannot create") == errc::io_error));
    server.check_not_switched();
}

BOOST_AUTO_TEST_CASE(without_file_descriptors_nothing_changes) {
    for (const int left : {0, 1}) {
        switched_server server;
        server.start_with_mirror();
        std::optional<used_descriptors> used;
        server.store->on_hold_on = [&used, left] { used.emplace(left); };
        BOOST_TEST(bool(refused(server, "Too many open files") == errc::io_error));
        used.reset();
        server.check_not_switched();
    }
}

BOOST_AUTO_TEST_CASE(a_target_that_cannot_be_written_changes_nothing) {
    switched_server server;
    server.start_with_mirror();
    std::atomic<bool> is_full{false};
    server.b.faulty_texts.on_write = [&is_full]() -> std::optional<error> {
        if (is_full) return error{errc::no_space, "the disk is full"};
        return std::nullopt;
    };
    server.store->on_seal = [&is_full] { is_full = true; };
    BOOST_TEST(bool(refused(server, "the disk is full") == errc::no_space));
    is_full = false;
    server.store->on_seal = nullptr;
    server.check_not_switched();
    server.switch_over();
    server.check_switched_to("/b");
}

BOOST_AUTO_TEST_CASE(an_old_store_that_cannot_be_written_does_not_prevent_the_switch) {
    switched_server server;
    server.start_with_mirror();
    std::atomic<bool> is_broken{false};
    break_old_store_at_exchange(server, is_broken);
    server.switch_over();
    BOOST_TEST(server.active() == "/b");
    save(server.served(), make_picture(tenant(1), "later", "later"));
    server.wait_for(
        [](const mirror_status& now) { return now.state == mirror_state::failed && now.is_retried; });
    BOOST_TEST(!await(find_successor(server.stored_a->documents())).value().has_value());
    is_broken = false;
    server.check_switched_to("/b");
}

BOOST_AUTO_TEST_CASE(the_mirror_after_a_switch_can_end_and_begin_again) {
    switched_server server;
    server.start_with_mirror();
    server.switch_over();
    server.wait_until_current();
    BOOST_REQUIRE(await(server.mirror->abandon()).has_value());
    BOOST_TEST(server.open == 1);
    BOOST_TEST(server.mirror->status().switches == 1U);
    save(server.served(), make_picture(tenant(1), "later", "later"));
    const auto begun = server.begin("/a");
    BOOST_REQUIRE_MESSAGE(begun.has_value(), message_of(begun));
    server.wait_until_current();
    server.switch_over();
    server.check_switched_to("/a");
}

BOOST_AUTO_TEST_CASE(nothing_is_missing_because_of_what_the_new_store_had_out_of_service) {
    switched_server server;
    server.a.set_aside = 0;
    server.b.set_aside = 2;  // before it was copied
    server.start_with_mirror();
    server.switch_over();
    server.check_switched_to("/b");
    server.switch_over();
    server.check_switched_to("/a");
}

BOOST_AUTO_TEST_CASE(a_target_is_opened_with_the_priority_of_the_server) {
    switched_server server;
    server.opening_priority = 99;
    server.start_with_mirror();
    BOOST_TEST(server.opening_priority == switched_server::own_priority());
    BOOST_TEST(server.opened_former == 0);
    server.switch_over();
    server.restart();
    server.wait_until_current();
    BOOST_TEST(server.opening_priority == switched_server::own_priority());
    BOOST_TEST(server.opened_former == 1);  // as the server opened it
}

BOOST_AUTO_TEST_CASE(an_old_store_that_does_not_say_so_is_reported_when_its_mirror_is_abandoned) {
    switched_server server;
    server.start_with_mirror();
    std::atomic<bool> is_broken{false};
    break_old_store_at_exchange(server, is_broken);
    server.switch_over();
    const auto abandoned = await(server.mirror->abandon());
    BOOST_REQUIRE(abandoned.has_value());
    for (const char* word : {"/a", "do not start a server on it", "the disk is broken"})
        BOOST_TEST(abandoned->problem.find(word) != std::string::npos, abandoned->problem);
    BOOST_TEST(!await(find_successor(server.stored_a->documents())).value().has_value());
    BOOST_TEST(server.open == 1);
}

BOOST_AUTO_TEST_CASE(an_old_store_is_told_when_its_mirror_is_abandoned) {
    switched_server server;
    server.start_with_mirror();
    std::atomic<bool> is_broken{false};
    break_old_store_at_exchange(server, is_broken);
    server.switch_over();
    is_broken = false;
    const auto abandoned = await(server.mirror->abandon());
    BOOST_REQUIRE(abandoned.has_value());
    BOOST_TEST(abandoned->problem.empty());
    BOOST_TEST(await(find_successor(server.stored_a->documents())).value().has_value());
    BOOST_TEST(server.open == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::mirror::test
