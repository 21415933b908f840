// SPDX-License-Identifier: Apache-2.0
// Documents written together: the journal, and what a kill or a full disk makes of it.
#include "disk_fault.hpp"
#include "tree_fixture.hpp"

#include <cerrno>

using namespace gallery;
using namespace gallery::contract;
using gallery::test::await;

namespace {

struct journal_fixture : tree_fixture {
    journal_fixture() {
        save_document({"user", "a", "old a", 0}).value();
        save_document({"claim", "b", "old b", 0}).value();
    }

    result<documents_outcome> write_group(const std::string& text = "new") {
        std::vector<document_write> parts;
        parts.push_back(document_write::save({"user", "a", text + " a", 0}, precondition::any()));
        parts.push_back(document_write::erase("claim", "b", precondition::present()));
        parts.push_back(document_write::save({"fresh", "c", text + " c", 0}, precondition::absent()));
        return await(documents().write(std::move(parts)));
    }
    [[nodiscard]] std::vector<std::string> journals() const {
        const auto folder = root() / ".gallery/journal";
        return fs::exists(folder) ? names_in(folder) : std::vector<std::string>();
    }
    void expect_new(const std::string& text = "new") {
        BOOST_TEST(await(documents().find("user", "a"))->body == text + " a");
        BOOST_TEST(await(documents().find("claim", "b")).has_error());
        BOOST_TEST(await(documents().find("fresh", "c"))->body == text + " c");
    }
    void expect_in_files() {
        BOOST_TEST(journals().empty());
        BOOST_TEST(content_of(root() / ".gallery/accounts/user/a.json").ends_with("new a"));
        BOOST_TEST(!fs::exists(root() / ".gallery/accounts/claim/b.json"));
        BOOST_TEST(content_of(root() / ".gallery/accounts/fresh/c.json").ends_with("new c"));
    }
    void expect_changes_of(const documents_outcome& outcome) {
        const auto found = changes_after(outcome.revs.front() - 1);
        BOOST_TEST_REQUIRE(found.size() == 3U);
        for (std::size_t i = 0; i < 3; ++i)
            BOOST_TEST(found[i].rev == outcome.revs[i]);
        BOOST_TEST((found[0].what == change::kind::document_saved && found[0].document_id == "a"));
        BOOST_TEST((found[1].what == change::kind::document_erased && found[1].document_id == "b"));
        BOOST_TEST((found[2].what == change::kind::document_saved && found[2].document_id == "c"));
    }
};

/// No document gets into its own file.
struct nothing_in_place {
    disk_fault renames{disk_call::rename, "accounts/", EIO};
    disk_fault removals{disk_call::remove, "accounts/claim/b.json", EIO};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(journal, journal_fixture)

BOOST_AUTO_TEST_CASE(documents_written_together_are_in_their_own_files_afterwards) {
    write_group().value();
    expect_new();
    while (!journals().empty())  // in the background
        continue;
    expect_in_files();
    reopen();
    expect_new();
}

BOOST_AUTO_TEST_CASE(what_was_not_carried_out_before_a_kill_is_so_at_the_start) {
    documents_outcome outcome;
    {
        const nothing_in_place fault;
        outcome = write_group().value();
        expect_new();
        expect_sound();
        close();
        BOOST_TEST(journals().size() == 1U);
        BOOST_TEST(content_of(root() / ".gallery/accounts/user/a.json").ends_with("old a"));
        // Not even then: the journal is enough.
        reopen();
        expect_new();
        expect_changes_of(outcome);
    }
    reopen();
    expect_new();
    expect_in_files();
    expect_changes_of(outcome);
}

BOOST_AUTO_TEST_CASE(a_journal_that_a_kill_kept_from_the_log_is_committed_whole) {
    for (const unsigned lines : {3U, 2U, 1U}) {
        BOOST_TEST_INFO_SCOPE(lines << " lines are missing");
        documents_outcome outcome;
        {
            const nothing_in_place fault;
            outcome = write_group().value();
            close();
        }
        cut_log(lines);
        reopen();
        expect_new();
        expect_in_files();
        expect_changes_of(outcome);
        await(documents().erase("fresh", "c", precondition::any())).value();
        save_document({"claim", "b", "old b", 0}).value();
        save_document({"user", "a", "old a", 0}).value();
    }
}

BOOST_AUTO_TEST_CASE(a_half_written_journal_is_no_write) {
    save_document({"user", "z", "{}", 0}).value();
    close();
    write(root() / ".gallery/journal/.tmp-x", "half");
    reopen();
    BOOST_TEST(journals().empty());
    BOOST_TEST(await(documents().find("user", "a"))->body == "old a");
}

BOOST_AUTO_TEST_CASE(a_damaged_journal_is_set_aside) {
    {
        const nothing_in_place fault;
        write_group().value();
        close();
    }
    const auto path = root() / ".gallery/journal" / journals().at(0);
    auto text = content_of(path);
    text.back() = static_cast<char>(text.back() ^ 1);
    write(path, text);
    reopen();
    BOOST_TEST(journals().empty());
    BOOST_TEST(names_in(root() / ".gallery/set-aside").size() == 1U);
    BOOST_TEST(await(documents().find("user", "a"))->body == "old a");
    leave_unchecked();
}

BOOST_AUTO_TEST_CASE(a_document_is_not_written_before_its_journal_is_carried_out) {
    {
        const nothing_in_place fault;
        write_group().value();
        BOOST_TEST(save_document({"user", "a", "newer", 0}).has_error());
        BOOST_TEST(await(documents().erase("fresh", "c", precondition::any())).has_error());
        BOOST_TEST(write_group("newer").value().status == write_status::absent);
        expect_new();
    }
    await(documents().erase("fresh", "c", precondition::any())).value();
    BOOST_TEST(journals().empty());
    reopen();
    BOOST_TEST(await(documents().find("fresh", "c")).has_error());
    BOOST_TEST(await(documents().find("user", "a"))->body == "new a");
}

BOOST_AUTO_TEST_CASE(a_kind_whose_folder_is_gone_gets_it_again) {
    fs::remove_all(root() / ".gallery/accounts/user");
    write_group().value();
    while (!journals().empty())
        continue;
    expect_in_files();
    expect_sound();
}

BOOST_AUTO_TEST_CASE(a_failed_synchronisation_of_a_journal_ends_writing) {
    write_group().value();
    reopen();  // carries the first group out, which synchronises the folder, too
    const disk_fault fault(disk_call::sync, ".gallery/journal", EIO);
    save_document({"claim", "b", "again", 0}).value();
    await(documents().erase("fresh", "c", precondition::any())).value();
    const auto outcome = write_group("never");
    BOOST_TEST_REQUIRE(outcome.has_error());
    BOOST_TEST(outcome.error().code == errc::io_error);
    BOOST_TEST((engine().writing().state == write_state::kind::failed));
    BOOST_TEST(await(documents().find("user", "a"))->body == "new a");
}

BOOST_AUTO_TEST_SUITE_END()
