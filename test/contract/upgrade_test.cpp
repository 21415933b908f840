// SPDX-License-Identifier: Apache-2.0
// Stores of version 0.1 are upgraded in place when they are opened, completely, also if the process is killed
// meanwhile. Compiled into the tests of each durable engine of ours. With more kills, by hand, for rocksdb
// likewise:
//   build/release/bin/filesystem_on_disk --plugin build/release/lib/gallery/plugins/filesystem.so --kills 100
//     --run_test=upgrade_of_version_0_1/a_kill_at_any_moment_of_the_upgrade_loses_nothing
#include "upgrade_state.hpp"

#include "crash_writer.hpp"
#include "data/store-0.1/contents.hpp"
#include "store_fixture.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <thread>

using namespace gallery;
using namespace gallery::contract;

namespace {

namespace fs = std::filesystem;

/// Starts with a store of version 0.1, which is not open.
struct old_store_fixture : store_fixture {
    old_store_fixture() { unpack(); }

    void unpack() {
        close();
        for (const auto& entry : fs::directory_iterator(folder()))
            fs::remove_all(entry.path());
        const std::string archive =
            std::string(GALLERY_TEST_DATA "/store-0.1/") + under_test().descriptor->name + ".tar.gz";
        const auto command = "tar -xzf '" + archive + "' -C '" + folder() + "'";
        BOOST_TEST_REQUIRE(std::system(command.c_str()) == 0);
    }

    void open_again() {
        close();
        auto opened = open_store(folder());
        BOOST_REQUIRE_MESSAGE(opened.has_value(), "the store did not open: " << opened.error().message);
        take(std::move(*opened));
    }

    static std::vector<old_store::image> images() {
        auto all = old_store::images();
        for (auto& each : all)
            each.record.modified_time = each.record.created_time;
        return all;
    }

    void expect_old_contents() {
        std::map<tenant_id, usage_figures> sums;
        for (const auto& wanted : images()) {
            const auto& record = wanted.record;
            expect_stored({record, wanted.original, wanted.preview});
            const auto found = must_find(record.tenant, record.key);
            const auto same = await(store().find_by_content(record.tenant, record.original.etag));
            BOOST_TEST_REQUIRE(same.has_value());
            BOOST_TEST_REQUIRE(same->size() == 1U);
            BOOST_TEST((*same->front() == *found));
            auto& sum = sums[record.tenant];
            ++sum.count;
            sum.original_bytes += wanted.original.size();
            sum.preview_bytes += wanted.preview.size();
        }
        for (const auto& [tenant, sum] : sums) {
            const auto usage = await(store().usage(tenant));
            BOOST_TEST_REQUIRE(usage.has_value());
            BOOST_TEST((*usage == tenant_usage{sum, {}}));
            BOOST_TEST(scan_all(tenant, 3).size() == sum.count);
        }
        for (const auto& gone : old_store::erased())
            expect_absent({gone.record, gone.original, gone.preview});
        for (const auto& wanted : old_store::documents()) {
            const auto found = await(documents().find(wanted.kind, wanted.id));
            BOOST_REQUIRE_MESSAGE(found.has_value(), wanted.kind << "/" << wanted.id);
            BOOST_TEST(found->body == wanted.body);
        }
        BOOST_TEST(await(documents().find("session", "one")).has_error());
        expect_order();
        expect_sound();
    }

    void expect_nothing_else() {
        const auto all = await(documents().scan("", "", 100));
        BOOST_TEST_REQUIRE(all.has_value());
        BOOST_TEST(all->items.size() == old_store::documents().size());
        const auto kept = await(store().kept(std::nullopt, kept_order::newest_first, "", 10));
        BOOST_TEST_REQUIRE(kept.has_value());
        BOOST_TEST(kept->items.empty());
    }

    void expect_order() {
        image_query query;
        query.tenant = old_store::tenant(1);
        query.sort = image_sort::title;
        query.page_size = 100;
        const auto page = list(query);
        BOOST_TEST_REQUIRE(page.has_value());
        std::vector<std::string> titles;
        for (const auto& record : page->images)
            titles.push_back(record->title);
        const std::vector<std::string> wanted{
            "", "Abend", "\xC3\x84rger", "Etage", "\xC3\xA9t\xC3\xA9", "Strasse", "zebra"};
        BOOST_TEST(titles == wanted, boost::test_tools::per_element());
        query.text_search = "\xC3\xA4RG";
        const auto found = list(query);
        BOOST_TEST_REQUIRE(found.has_value());
        BOOST_TEST(found->total == 1U);
    }

    static std::size_t upgrades_in(const std::vector<std::string>& log) {
        return static_cast<std::size_t>(std::count_if(log.begin(), log.end(), [](const std::string& line) {
            return line.find("upgrad") != std::string::npos;
        }));
    }

    /// How long opening the store takes in a process of its own, which is killed then.
    std::chrono::microseconds time_to_open() {
        writer_process writer(folder(), 0);
        BOOST_TEST_REQUIRE(writer.line().value_or("") == "o 0 0\n");
        const auto begin = std::chrono::steady_clock::now();
        const auto next = writer.line().value_or("x: nothing");
        BOOST_TEST_REQUIRE(!next.starts_with('x'), next);
        const auto took = std::chrono::steady_clock::now() - begin;
        writer.kill();
        return std::chrono::duration_cast<std::chrono::microseconds>(took);
    }

    /// Opens the store in a process of its own and kills that some time after it began. False where it had
    /// opened the store before, and has written into it.
    bool is_killed_while_opening(std::chrono::microseconds after) {
        writer_process writer(folder(), 0);
        BOOST_TEST_REQUIRE(writer.line().value_or("") == "o 0 0\n");
        std::this_thread::sleep_for(after);
        writer.kill();
        bool has_opened = false;
        while (const auto line = writer.line()) {
            BOOST_TEST_REQUIRE(!line->starts_with('x'), *line);
            has_opened = true;
        }
        return !has_opened;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(upgrade_of_version_0_1, old_store_fixture)

BOOST_AUTO_TEST_CASE(everything_is_there_and_the_log_reports_the_upgrade_once) {
    take_log();
    open_again();
    BOOST_TEST(upgrades_in(take_log()) > 0U);
    expect_old_contents();
    expect_nothing_else();
    open_again();
    BOOST_TEST(upgrades_in(take_log()) == 0U);
    expect_old_contents();
    expect_nothing_else();
}

BOOST_AUTO_TEST_CASE(the_feed_continues) {
    open_again();
    const auto before = last_change();
    const auto old = changes_after(0);
    BOOST_TEST_REQUIRE(!old.empty());
    BOOST_TEST(old.back().rev == before);
    BOOST_TEST((old.front().what == change::kind::document_saved));
    BOOST_TEST((old.back().what == change::kind::document_erased));
    BOOST_TEST(old.back().document_kind == "session");
    const auto next = must_save(make(old_store::tenant(1), "new.png"));
    BOOST_TEST(next->rev > before);
    const auto after = changes_after(before);
    BOOST_TEST_REQUIRE(after.size() == 1U);
    BOOST_TEST(after[0].rev == next->rev);
}

BOOST_AUTO_TEST_CASE(upgraded_images_are_replaced_kept_updated_and_erased_like_new_ones) {
    open_again();
    const auto all = images();
    for (const auto& old : all) {
        const image wanted{old.record, old.original, old.preview};
        const auto next = with_bytes(wanted, 700, 90);
        const auto outcome = save(next, write_rules(precondition::any(), previous_version::keep(5)));
        BOOST_TEST_REQUIRE(outcome.has_value());
        BOOST_TEST((outcome->status == write_status::committed));
        const auto kept = await(store().find_kept(old.record.id, outcome->kept));
        BOOST_TEST_REQUIRE(kept.has_value());
        BOOST_TEST(same_but_revisions(*kept->record, old.record));
        BOOST_TEST_REQUIRE(read(kept->record, representation::original).has_value());
        BOOST_TEST(*read(kept->record, representation::original) == old.original);
        auto renamed = next.record;
        renamed.title = "Renamed";
        renamed.tags = {"new"};
        BOOST_TEST((update(renamed)->status == write_status::committed));
    }
    expect_sound();
    open_again();
    for (const auto& old : all)
        BOOST_TEST((erase(old.record.tenant, old.record.key)->status == write_status::committed));
    expect_sound();
}

BOOST_AUTO_TEST_CASE(a_kill_at_any_moment_of_the_upgrade_loses_nothing) {
    const auto whole = static_cast<std::uint64_t>(time_to_open().count());
    const unsigned wanted = under_test().kills;
    std::map<upgrade_state, unsigned> kills;
    unsigned hits = 0;
    for (unsigned attempt = 0; hits < wanted; ++attempt) {
        BOOST_REQUIRE_MESSAGE(attempt < 50 * wanted, "of " << attempt << " kills only " << hits
                                                           << " came before the store was open");
        unpack();
        // Some are killed again while they open what the kill before has left.
        std::vector<upgrade_state> left(1 + number(3));
        bool is_open = false;
        for (auto& state : left) {
            is_open =
                is_open || !is_killed_while_opening(std::chrono::microseconds(number(whole * 5 / 4 + 1)));
            if (!is_open) state = upgrade_state_of(folder());
        }
        if (is_open) continue;  // it has other contents now
        open_again();
        expect_old_contents();
        expect_nothing_else();
        close();
        BOOST_TEST((upgrade_state_of(folder()) == upgrade_state::done));
        for (const auto state : left)
            ++kills[state];
        hits += static_cast<unsigned>(left.size());
    }
    std::cout << hits << " kills: " << kills[upgrade_state::not_begun] << " left a store of version 0.1, "
              << kills[upgrade_state::in_progress] << " a part of the upgrade, " << kills[upgrade_state::done]
              << " an upgraded store" << std::endl;
}

BOOST_AUTO_TEST_CASE(a_store_of_version_0_1_is_refused_by_that_version_once_it_is_upgraded) {
    BOOST_TEST((upgrade_state_of(folder()) == upgrade_state::not_begun));
    open_again();
    close();
    BOOST_TEST((upgrade_state_of(folder()) == upgrade_state::done));
}

BOOST_AUTO_TEST_SUITE_END()
