// SPDX-License-Identifier: Apache-2.0
// The feed of committed writes.
#include "store_fixture.hpp"

#include <atomic>
#include <chrono>
#include <latch>
#include <limits>
#include <thread>

using namespace gallery;
using namespace gallery::contract;

namespace {

struct changes_fixture : store_fixture {
    void expect_image_change(const change& got, change::kind what, revision rev, const image_record& record) {
        BOOST_TEST((got.what == what));
        BOOST_TEST(got.rev == rev);
        BOOST_TEST((got.tenant == record.tenant));
        BOOST_TEST(got.key == record.key);
        BOOST_TEST((got.id == record.id));
        BOOST_TEST(got.public_key == record.public_key);
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(changes, changes_fixture)

BOOST_AUTO_TEST_CASE(an_empty_store_has_an_empty_feed) {
    const auto batch = await(feed().changes(last_change(), 10));
    BOOST_TEST_REQUIRE(batch.has_value());
    BOOST_TEST(batch->changes.empty());
    BOOST_TEST(!batch->gap);
    BOOST_TEST(changes_after(0).empty());
}

BOOST_AUTO_TEST_CASE(each_write_is_one_change_that_names_what_it_wrote) {
    const auto begin = last_change();
    const auto one = make(tenant_number(1), "a");
    const auto saved = must_save(one);
    auto changed = *saved;
    changed.title = "changed";
    const auto updated = update(changed).value();
    const auto document_saved = save_document({"user", "u-1", "{}", 0}).value();
    const auto replacement = make(tenant_number(1), "a");
    const auto replaced = must_save(replacement);
    const auto erased = erase(tenant_number(1), "a").value();
    const auto document_erased = await(documents().erase("user", "u-1", precondition::any())).value();
    for (int i = 0; i < 2; ++i) {
        const auto all = changes_after(begin, 2);
        BOOST_TEST_REQUIRE(all.size() == 6U);
        expect_image_change(all[0], change::kind::image_saved, saved->rev, one.record);
        expect_image_change(all[1], change::kind::image_updated, updated.rev, one.record);
        BOOST_TEST((all[2].what == change::kind::document_saved));
        BOOST_TEST(all[2].rev == document_saved.rev);
        BOOST_TEST(all[2].document_kind == "user");
        BOOST_TEST(all[2].document_id == "u-1");
        expect_image_change(all[3], change::kind::image_saved, replaced->rev, replacement.record);
        expect_image_change(all[4], change::kind::image_erased, erased.rev, replacement.record);
        BOOST_TEST((all[5].what == change::kind::document_erased));
        BOOST_TEST(all[5].rev == document_erased.rev);
        BOOST_TEST(last_change() == document_erased.rev);
        reopen();
    }
}

BOOST_AUTO_TEST_CASE(writes_that_changed_nothing_are_not_in_the_feed) {
    const auto owner = make(tenant_number(1), "a");
    must_save(owner);
    save_document({"user", "u", "{}", 0}).value();
    const auto begin = last_change();
    save(make(tenant_number(1), "a"), precondition::absent()).value();
    update(make(tenant_number(1), "none").record).value();
    erase(tenant_number(1), "none").value();
    auto thief = make(tenant_number(1), "b");
    thief.record.public_key = owner.record.public_key;
    save(thief).value();
    save_document({"user", "u", "{}", 0}, precondition::absent()).value();
    await(documents().erase("user", "none", precondition::any())).value();
    BOOST_TEST(changes_after(begin).empty());
    BOOST_TEST(last_change() == begin);
}

BOOST_AUTO_TEST_CASE(batches_of_any_size_are_the_same_feed) {
    const auto begin = last_change();
    for (int i = 0; i < 23; ++i)
        must_save(make(tenant_number(1), "k" + std::to_string(i % 5), 5, 0));
    const auto all = changes_after(begin, 1000);
    BOOST_TEST_REQUIRE(all.size() == 23U);
    for (const std::size_t limit : {1U, 2U, 7U, 23U, 24U}) {
        const auto again = changes_after(begin, limit);
        BOOST_TEST_REQUIRE(again.size() == all.size());
        for (std::size_t i = 0; i < all.size(); ++i)
            BOOST_TEST(again[i].rev == all[i].rev);
    }
    BOOST_TEST(changes_after(all[10].rev).size() == 12U);
    const auto end = await(feed().changes(all.back().rev, 10));
    BOOST_TEST(end->changes.empty());
    BOOST_TEST(end->next == all.back().rev);
    BOOST_TEST(!end->gap);
}

BOOST_AUTO_TEST_CASE(a_place_from_another_history_is_a_gap_or_the_end) {
    must_save(make(tenant_number(1), "a"));
    const revision beyond = last_change() + 1'000'000'000'000;
    const auto batch = await(feed().changes(beyond, 10));
    BOOST_TEST_REQUIRE(batch.has_value());
    if (batch->gap) {
        BOOST_TEST(!batch->changes.empty());
        return;
    }
    BOOST_TEST(batch->changes.empty());
    BOOST_TEST(batch->next == beyond);
}

BOOST_AUTO_TEST_CASE(ten_thousand_changes_are_kept_and_older_ones_are_a_gap) {
    // Small documents, so that this stays quick; 16 writers, so that an engine can share its syncs.
    constexpr unsigned total = 16'000;
    save_document({"session", "first", "", 0}).value();
    const auto begin = last_change();
    const auto write = [&](unsigned count) {
        std::vector<std::jthread> threads;
        for (unsigned t = 0; t < 16; ++t)
            threads.emplace_back([&, t] {
                for (unsigned i = 0; i < count / 16; ++i)
                    (void)save_document({"session", "s" + std::to_string(t), std::to_string(i), 0});
            });
    };
    write(10'000);
    BOOST_TEST(changes_after(begin, 500).size() == 10'000U);
    reopen();
    BOOST_TEST(changes_after(begin, 500).size() == 10'000U);
    write(total);
    reopen();
    const auto batch = await(feed().changes(0, 5));
    BOOST_TEST_REQUIRE(batch.has_value());
    BOOST_TEST_REQUIRE(batch->changes.size() == 5U);
    BOOST_TEST(batch->next == batch->changes.back().rev);
    const auto rest = changes_after(batch->changes.front().rev, 1000);
    BOOST_TEST(rest.size() + 1 >= 10'000U);
    BOOST_TEST(rest.back().rev == last_change());
    // An engine may keep all; where it does not, it says so to whoever missed something.
    const bool kept_all = rest.size() + 1 >= 10'000 + total + 1;
    BOOST_TEST(batch->gap == !kept_all);
    BOOST_TEST(await(feed().changes(begin, 5))->gap == !(rest.size() + 1 >= 10'000 + total));
    BOOST_TEST(!await(feed().changes(batch->changes.front().rev, 5))->gap);
}

BOOST_AUTO_TEST_CASE(nothing_appears_behind_a_reader_while_16_write) {
    const auto begin = last_change();
    constexpr unsigned writers = 16;
    constexpr unsigned each = 30;
    std::vector<image> images;
    for (unsigned i = 0; i < writers * each; ++i)
        images.push_back(
            make(tenant_number(i % 3), "k" + std::to_string(i), 1 + number(i % 7 == 0 ? 300'000 : 100), 0));
    std::atomic<unsigned> running = writers;
    std::atomic<unsigned> late = 0;
    std::atomic<unsigned> missing = 0;
    std::vector<revision> seen;
    {
        std::vector<std::jthread> threads;
        for (unsigned w = 0; w < writers; ++w)
            threads.emplace_back([&, w] {
                for (unsigned i = 0; i < each; ++i) {
                    const auto outcome = save(images[w * each + i]);
                    if (!outcome || outcome->status != write_status::committed) continue;
                    // In the feed before its outcome is returned.
                    const auto after = await(feed().changes(outcome->rev - 1, 1));
                    if (!after || after->changes.empty() || after->changes[0].rev != outcome->rev) ++missing;
                }
                --running;
            });
        for (auto after = begin;;) {
            const bool last_look = running == 0;
            const auto batch = await(feed().changes(after, 50));
            if (!batch || batch->gap) break;
            for (const auto& one : batch->changes) {
                if (one.rev <= after) ++late;
                after = one.rev;
                seen.push_back(one.rev);
            }
            if (last_look && batch->changes.empty()) break;
        }
    }
    BOOST_TEST(missing == 0U);
    BOOST_TEST(late == 0U);
    BOOST_TEST(seen.size() == images.size());
    const auto all = changes_after(begin);
    BOOST_TEST_REQUIRE(all.size() == seen.size());
    for (std::size_t i = 0; i < all.size(); ++i)
        BOOST_TEST_REQUIRE(all[i].rev == seen[i]);
}

BOOST_AUTO_TEST_CASE(the_horizon_is_that_of_a_batch_which_reaches_the_end) {
    using clock = std::chrono::steady_clock;
    const auto begin = last_change();
    for (unsigned i = 0; i < 4; ++i)
        must_save(make(tenant_number(1), "k" + std::to_string(i)));
    const auto acknowledged = clock::now();
    const auto first = await(feed().changes(begin, 3));
    BOOST_TEST_REQUIRE(first.has_value());
    BOOST_TEST_REQUIRE(first->changes.size() == 3U);
    BOOST_TEST((first->horizon == clock::time_point::min()));
    auto last_horizon = clock::time_point::min();
    for (;;) {
        const auto rest = await(feed().changes(first->next, 3));
        BOOST_TEST_REQUIRE(rest.has_value());
        BOOST_TEST_REQUIRE(rest->changes.size() == 1U);
        BOOST_TEST_REQUIRE((rest->horizon >= last_horizon));
        BOOST_TEST_REQUIRE((rest->horizon <= clock::now()));
        last_horizon = rest->horizon;
        // An engine that one process owns is there at once; one with followers within their interval.
        if (under_test().descriptor->shared && rest->horizon < acknowledged) continue;
        BOOST_TEST((rest->horizon >= acknowledged));
        break;
    }
    const auto end = await(feed().changes(last_change(), 3));
    BOOST_TEST_REQUIRE(end.has_value());
    BOOST_TEST((end->horizon >= last_horizon));
}

BOOST_AUTO_TEST_CASE(the_listener_hears_of_each_commit_after_it_is_in_the_feed) {
    close();
    std::filesystem::remove_all(folder());
    std::filesystem::create_directory(folder());
    auto opened = open_store(folder());
    BOOST_TEST_REQUIRE(opened.has_value());
    auto& fresh = **opened;
    std::atomic<unsigned> calls = 0;
    fresh.feed().on_change([&] { ++calls; });
    const auto one = make(tenant_number(1), "a");
    const auto write = [&](auto operation) {
        const auto before = calls.load();
        const auto outcome = await(std::move(operation));
        BOOST_TEST_REQUIRE(outcome.has_value());
        BOOST_TEST(outcome->status == write_status::committed);
        // "after each commit has become visible": it may come a moment after the outcome.
        while (calls.load() == before)
            std::this_thread::yield();
        BOOST_TEST(await(fresh.feed().last()).value() == outcome->rev);
    };
    write(fresh.images().save(one.record, bytes::own(one.original), bytes::own(one.preview),
                              precondition::any()));
    write(fresh.images().update(one.record, precondition::any()));
    write(fresh.documents().save({"user", "u", "{}", 0}, precondition::any()));
    write(fresh.documents().erase("user", "u", precondition::any()));
    write(fresh.images().erase(one.record.tenant, one.record.key, precondition::any()));
}

BOOST_AUTO_TEST_SUITE_END()
