// SPDX-License-Identifier: Apache-2.0
// Stores of version 0.1 are upgraded in place when they are opened, completely, also if the process is killed
// meanwhile. Compiled into the tests of each durable engine of ours.
#include "data/store-0.1/contents.hpp"
#include "store_fixture.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <thread>

extern char** environ;

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

    /// Opens the store in a process of its own, which then writes into other tenants and kinds of documents,
    /// and kills it.
    void open_and_kill(std::chrono::microseconds after) {
        std::vector<std::string> arguments = {"/proc/self/exe", "--plugin", under_test().path,
                                              "--writer",       folder(),   "0"};
        for (const auto& [name, value] : under_test().options) {
            arguments.emplace_back("--config");
            arguments.push_back(name + '=' + value);
        }
        std::vector<char*> pointers;
        for (auto& one : arguments)
            pointers.push_back(one.data());
        pointers.push_back(nullptr);
        posix_spawn_file_actions_t actions;
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
        pid_t child = 0;
        const int spawned =
            ::posix_spawn(&child, "/proc/self/exe", &actions, nullptr, pointers.data(), environ);
        ::posix_spawn_file_actions_destroy(&actions);
        BOOST_TEST_REQUIRE(spawned == 0);
        std::this_thread::sleep_for(after);
        ::kill(child, SIGKILL);
        int status = 0;
        ::waitpid(child, &status, 0);
        BOOST_TEST_REQUIRE(WIFSIGNALED(status));
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
    // How long opening takes here, in a process of its own.
    const auto begin = std::chrono::steady_clock::now();
    open_again();
    const auto whole =
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
    for (unsigned round = 0; round < under_test().kills; ++round) {
        unpack();
        const auto kills = 1 + number(3);
        for (std::uint64_t i = 0; i < kills; ++i)
            open_and_kill(
                std::chrono::microseconds(number(static_cast<std::uint64_t>(whole.count()) * 3 + 20'000)));
        open_again();
        expect_old_contents();
    }
}

BOOST_AUTO_TEST_SUITE_END()
