// SPDX-License-Identifier: Apache-2.0
// A mirror and a switch of stores that other servers share.
#include "mirror/switch_claims.hpp"

#include "noted_others.hpp"
#include "switched_server.hpp"

#include <vector>

namespace gallery::mirror::test {

namespace {

struct shared_server : switched_server {
    noted_others noted;

    shared_server() { others = &noted; }
    ~shared_server() { stop(); }

    std::string claimed(scratch_store& in) {
        const auto found = await(find_successor(in->documents())).value();
        return found ? found->node : "";
    }
};

const error others_are_there{errc::busy, "other servers: host:8080"};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(switch_claiming, shared_server)

BOOST_AUTO_TEST_CASE(both_stores_are_claimed_until_memory_follows_the_new_one) {
    start_with_mirror();
    int checks = 0;
    std::vector<std::string> claims;
    noted.on_call = [&](const std::string& call, storage_engine*) -> result<void> {
        const bool is_early = call == "check" && ++checks <= 2;
        claims.push_back(is_early ? "" : claimed(stored_a) + "," + claimed(stored_b));
        return {};
    };
    switch_over();
    noted.on_call = {};
    const std::vector<std::string> expected{"check", "check", "join",  "check",
                                            "check", "read",  "leave", "admit"};
    BOOST_TEST(noted.calls == expected, boost::test_tools::per_element());
    const std::string both = "this-server,this-server";
    // After the decision, the old store names its successor.
    const std::vector<std::string> kept{"", "", ",", both, both, both, ",this-server", ",this-server"};
    BOOST_TEST(claims == kept, boost::test_tools::per_element());
    check_switched_to("/b");
    switch_over();
    check_switched_to("/a");
}

BOOST_AUTO_TEST_CASE(nothing_is_claimed_while_another_server_is_there) {
    start_with_mirror();
    const auto last = await(stored_a->feed().last()).value();
    noted.on_call = [](const std::string&, storage_engine*) { return result<void>(others_are_there); };
    const auto refused = await(mirror->switch_over());
    BOOST_REQUIRE(refused.has_error());
    BOOST_TEST(bool(refused.error().code == errc::busy));
    for (const char* word : {"not switched", "nothing has changed", "host:8080"})
        BOOST_TEST(refused.error().message.find(word) != std::string::npos, refused.error().message);
    BOOST_TEST(noted.calls.size() == 1U);
    BOOST_TEST(await(stored_a->feed().last()).value() == last);
    check_not_switched();
}

BOOST_AUTO_TEST_CASE(a_server_that_registers_before_the_claim_is_found_after_it) {
    start_with_mirror();
    int checks = 0;
    noted.on_call = [&](const std::string& call, storage_engine*) -> result<void> {
        if (call != "check" || ++checks < 4) return {};
        demand(claimed(stored_a) == "this-server", "the store is not claimed");
        return others_are_there;
    };
    const auto refused = await(mirror->switch_over());
    BOOST_REQUIRE(refused.has_error());
    BOOST_TEST(checks == 4);
    BOOST_TEST(claimed(stored_b).empty());
    check_not_switched();
}

BOOST_AUTO_TEST_CASE(a_switch_that_is_given_up_gives_the_stores_back) {
    start_with_mirror();
    for (const char* failing : {"read", "join"}) {
        noted.calls.clear();
        noted.on_call = [failing](const std::string& call, storage_engine*) -> result<void> {
            if (call != failing) return {};
            return error{errc::unavailable, "it does not answer"};
        };
        BOOST_TEST(await(mirror->switch_over()).has_error());
        BOOST_TEST(noted.calls.back() == "leave");
        BOOST_TEST(claimed(stored_b).empty());
        BOOST_TEST(!await(find_successor(stored_b->documents())).value().has_value());
        check_not_switched();
    }
}

BOOST_AUTO_TEST_CASE(an_old_store_names_its_successor_again_after_a_switch_back_that_is_given_up) {
    start_with_mirror();
    switch_over();
    wait_until_current();
    noted.on_call = [](const std::string& call, storage_engine*) -> result<void> {
        return call == "read" ? result<void>(others_are_there) : result<void>();
    };
    // Without it, another server could start on the old store, or this one after a crash.
    std::atomic<bool> was_without{false};
    const auto look = [&]() -> std::optional<error> {
        if (!await(find_successor(stored_a->documents())).value().has_value()) was_without = true;
        return std::nullopt;
    };
    a.faulty_texts.on_write = look;
    BOOST_TEST(await(mirror->switch_over()).has_error());
    noted.on_call = {};
    wait_for([](const mirror_status& now) { return now.state == mirror_state::following; });
    const auto by = await(find_successor(stored_a->documents())).value();
    BOOST_REQUIRE(by.has_value());
    BOOST_TEST((*by == successor_of(*read_active_store(active_file).value())));
    check_switched_to("/b");
    stop();
    a.faulty_texts.on_write = {};
    BOOST_TEST(!was_without);
    start();
}

BOOST_AUTO_TEST_CASE(a_switch_whose_claim_was_taken_away_is_given_up) {
    start_with_mirror();
    for (auto* taken : {&stored_a, &stored_b}) {
        store->on_seal = [this, taken] {
            require(await(give_back_store((*taken)->documents(), noted.id())));
        };
        const auto refused = await(mirror->switch_over());
        store->on_seal = {};
        BOOST_REQUIRE(refused.has_error());
        for (const char* word : {"nothing has changed", "was taken away", "reinstate"})
            BOOST_TEST(refused.error().message.find(word) != std::string::npos, refused.error().message);
        check_not_switched();
    }
    switch_over();
    check_switched_to("/b");
}

BOOST_AUTO_TEST_CASE(a_claim_that_could_not_be_given_back_is_given_back_later) {
    start_with_mirror();
    for (auto* silent : {&a, &b}) {
        auto& stored = silent == &a ? stored_a : stored_b;
        std::atomic<bool> answers{true};
        silent->faulty_texts.on_write = [&answers]() -> std::optional<error> {
            if (answers) return std::nullopt;
            return error{errc::unavailable, "it does not answer"};
        };
        noted.on_call = [&answers](const std::string& call, storage_engine*) -> result<void> {
            if (call != "read") return {};
            answers = false;
            return others_are_there;
        };
        BOOST_TEST(await(mirror->switch_over()).has_error());
        const auto told = mirror->status().claim_problem;
        for (const char* word : {silent == &a ? "the store:" : "the mirror:", "does not answer", "again"})
            BOOST_TEST(told.find(word) != std::string::npos, told);
        BOOST_TEST(claimed(stored) == "this-server");
        BOOST_TEST(claimed(silent == &a ? stored_b : stored_a).empty());
        answers = true;
        wait_for([](const mirror_status& now) { return now.claim_problem.empty(); });
        BOOST_TEST(claimed(stored).empty());
        noted.on_call = {};
        check_not_switched();
        stop();
        silent->faulty_texts.on_write = {};
        start();
        wait_until_current();
    }
}

BOOST_AUTO_TEST_CASE(a_claim_is_given_back_after_the_mirror_was_abandoned) {
    start_with_mirror();
    std::atomic<bool> answers{true};
    a.faulty_texts.on_write = [&answers]() -> std::optional<error> {
        if (answers) return std::nullopt;
        return error{errc::unavailable, "it does not answer"};
    };
    noted.on_call = [&answers](const std::string& call, storage_engine*) -> result<void> {
        if (call != "read") return {};
        answers = false;
        return others_are_there;
    };
    BOOST_TEST(await(mirror->switch_over()).has_error());
    BOOST_REQUIRE(await(mirror->abandon()).has_value());
    BOOST_TEST(!mirror->status().claim_problem.empty());
    answers = true;
    wait_for([](const mirror_status& now) { return now.claim_problem.empty(); });
    BOOST_TEST(claimed(stored_a).empty());
    stop();
    a.faulty_texts.on_write = {};
}

BOOST_AUTO_TEST_CASE(giving_a_claim_back_is_not_repeated_without_end) {
    longest_giving_back = std::chrono::milliseconds(0);
    start_with_mirror();
    std::atomic<int> writes{-1};
    a.faulty_texts.on_write = [&writes]() -> std::optional<error> {
        if (writes < 0) return std::nullopt;
        ++writes;
        return error{errc::unavailable, "it does not answer"};
    };
    noted.on_call = [&writes](const std::string& call, storage_engine*) -> result<void> {
        if (call != "read") return {};
        writes = 0;
        return others_are_there;
    };
    BOOST_TEST(await(mirror->switch_over()).has_error());
    const auto told = wait_for([](const mirror_status& now) {
        return now.claim_problem.find("not tried again") != std::string::npos;
    });
    BOOST_TEST(told.claim_problem.find("Restart this server") != std::string::npos, told.claim_problem);
    BOOST_TEST(writes == 2);
    writes = -1;
    // The next switch uses the claim.
    noted.on_call = {};
    switch_over();
    BOOST_TEST(mirror->status().claim_problem.empty());
    check_switched_to("/b");
    stop();
    a.faulty_texts.on_write = {};
}

BOOST_AUTO_TEST_CASE(a_new_store_that_could_not_be_released_is_released_later) {
    start_with_mirror();
    std::atomic<bool> answers{true};
    b.faulty_texts.on_write = [&answers]() -> std::optional<error> {
        if (answers) return std::nullopt;
        return error{errc::unavailable, "it does not answer"};
    };
    noted.on_call = [&answers](const std::string& call, storage_engine*) -> result<void> {
        if (call == "admit") answers = false;
        return {};
    };
    switch_over();
    const auto told = mirror->status().claim_problem;
    BOOST_TEST(told.find("does not answer") != std::string::npos, told);
    BOOST_TEST(claimed(stored_b) == "this-server");
    answers = true;
    wait_for([](const mirror_status& now) { return now.claim_problem.empty(); });
    noted.on_call = {};
    check_switched_to("/b");
    stop();
    b.faulty_texts.on_write = {};
}

BOOST_AUTO_TEST_CASE(a_claim_that_a_crash_has_left_in_the_mirror_is_removed) {
    start_with_mirror();
    stop();
    const successor claim{"memory", "/b", "id", 5, "this-server"};
    BOOST_REQUIRE(await(claim_store(stored_b->documents(), claim, true)).has_value());
    start();
    wait_until_current();
    BOOST_TEST(!await(find_successor(stored_b->documents())).value().has_value());
}

BOOST_AUTO_TEST_CASE(a_mirror_follows_only_while_it_is_the_turn_of_its_server) {
    noted.has_turn = false;
    fill(*stored_a);
    start();
    const auto refused = begin();
    BOOST_REQUIRE(refused.has_error());
    BOOST_TEST(bool(refused.error().code == errc::busy));
    BOOST_TEST(refused.error().message.find("another server") != std::string::npos);
    BOOST_TEST(open == 1);  // the target was not opened
    BOOST_TEST(noted.is_turn_ended);
    noted.is_turn_ended = false;
    noted.has_turn = true;
    BOOST_REQUIRE(begin().has_value());
    wait_until_current();
    noted.has_turn = false;
    const auto failed = wait_for([](const mirror_status& now) { return now.state == mirror_state::failed; });
    BOOST_TEST(failed.problem.find("another server") != std::string::npos, failed.problem);
    BOOST_TEST(failed.is_retried);
    BOOST_TEST(open == 1);
    save_document(served(), "user", "meanwhile", "{}");
    BOOST_TEST(await(stored_b->documents().find("user", "meanwhile")).has_error());
    noted.has_turn = true;
    wait_until_current();
    BOOST_TEST(await(stored_b->documents().find("user", "meanwhile")).has_value());
    BOOST_TEST(!noted.is_turn_ended);
    BOOST_REQUIRE(await(mirror->stop()).has_value());
    wait_for([](const mirror_status& now) { return now.state == mirror_state::stopped; });
    wait_for([this](const mirror_status&) { return noted.is_turn_ended.load(); });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::mirror::test
