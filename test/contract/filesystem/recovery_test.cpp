// SPDX-License-Identifier: Apache-2.0
// What opening makes of a tree that a crash, a disk or a person has left.
#include "disk_fault.hpp"
#include "tree_fixture.hpp"

#include <cerrno>
#include <tuple>

using namespace gallery;
using namespace gallery::contract;
using gallery::test::await;

namespace {

std::string digits(revision rev) {
    auto text = std::to_string(rev);
    return std::string(20 - text.size(), '0') + text;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(recovery, tree_fixture)

BOOST_AUTO_TEST_CASE(unfinished_writes_are_removed_and_said) {
    const auto one = make(tenant_number(1), "a");
    must_save(one);
    close();
    write(tenant_folder(1) / ".tmp-0123/original.jpg", "half a pict");
    write(tenant_folder(1) / "a/.tmp-4567", "{\"half\": ");
    write(tenant_folder(3) / ".tmp-89/record.json", "");
    write(root() / ".gallery/accounts/user/.tmp-1", "{");
    take_log();
    reopen();
    BOOST_TEST(remains().empty());
    BOOST_TEST(was_logged(take_log(), "removed 4 unfinished writes"));
    expect_stored(one);
    BOOST_TEST(scan_all(std::nullopt, 10).size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_replacement_in_two_steps_that_stopped_between_them_is_taken_back) {
    const auto one = make(tenant_number(1), "Key");
    must_save(one);
    close();
    const auto home = tenant_folder(1) / names_in(tenant_folder(1)).at(0);
    fs::rename(home, tenant_folder(1) / ".old-0123");
    write(tenant_folder(1) / ".tmp-0123/original.jpg", "the new picture");
    take_log();
    reopen();
    BOOST_TEST(fs::exists(home / "record.json"));
    BOOST_TEST(was_logged(take_log(), "restored"));
    expect_stored(one);
    BOOST_TEST(remains().empty());
}

BOOST_AUTO_TEST_CASE(a_replacement_in_two_steps_that_stopped_behind_them_stays) {
    const auto one = make(tenant_number(1), "a");
    must_save(one);
    close();
    fs::copy(tenant_folder(1) / "a", tenant_folder(1) / ".old-0123", fs::copy_options::recursive);
    reopen();
    expect_stored(one);
    BOOST_TEST(remains().empty());
}

BOOST_AUTO_TEST_CASE(commits_that_a_crash_kept_from_the_log_come_into_the_feed) {
    const auto first = must_save(make(tenant_number(1), "first"));
    const auto log = content_of(log_file());
    const auto saved = must_save(make(tenant_number(1), "saved"));
    const auto updated = update(*first).value();
    const auto doc = save_document({"user", "u", "{}", 0}).value();
    close();
    write(log_file(), log);
    take_log();
    reopen();
    BOOST_TEST(was_logged(take_log(), "added 3 committed changes"));
    for (int i = 0; i < 2; ++i) {
        const auto all = changes_after(first->rev);
        BOOST_TEST_REQUIRE(all.size() == 3U);
        BOOST_TEST(
            (all[0].what == change::kind::image_saved && all[0].rev == saved->rev && all[0].key == "saved"));
        BOOST_TEST((all[1].what == change::kind::image_updated && all[1].rev == updated.rev));
        BOOST_TEST((all[2].what == change::kind::document_saved && all[2].rev == doc.rev));
        reopen();
    }
}

BOOST_AUTO_TEST_CASE(commits_that_a_crash_kept_from_the_log_are_durable_before_they_are_logged) {
    const auto updated = must_save(make(tenant_number(1), "updated"));
    must_save(make(tenant_number(3), "erased"));
    const auto log = content_of(log_file());
    must_save(make(tenant_number(2), "saved"));
    update(*updated).value();
    save_document({"user", "u", "{}", 0}).value();
    const test::scratch_folder shelf;
    fs::copy(tenant_folder(3) / "erased", shelf.path() / "erased", fs::copy_options::recursive);
    const auto last = erase(tenant_number(3), "erased")->rev;
    close();
    fs::copy(shelf.path() / "erased", tenant_folder(3) / (".erased-" + digits(last) + "-x"),
             fs::copy_options::recursive);
    write(log_file(), log);
    {
        const disk_fault fault(disk_call::sync, to_string(tenant_number(2)), EIO);
        BOOST_TEST(open_store(folder()).has_error());
        BOOST_TEST(content_of(log_file()) == log);
    }
    const sync_record record;
    reopen();
    BOOST_TEST(last_change() == last);
    const auto synchronised = record.paths();
    const auto logged = std::find_if(synchronised.rbegin(), synchronised.rend(), [&](const auto& path) {
        return path.find(".gallery/changes/") != std::string::npos;
    });
    for (const auto& path : {root(), tenant_folder(1), tenant_folder(1) / "updated", tenant_folder(2),
                             tenant_folder(2) / "saved", tenant_folder(3), root() / ".gallery/accounts",
                             root() / ".gallery/accounts/user"})
        BOOST_TEST((std::find(logged, synchronised.rend(), fs::canonical(path)) != synchronised.rend()),
                   path);
}

BOOST_AUTO_TEST_CASE(erasures_that_a_crash_kept_from_the_log_come_into_the_feed) {
    const auto one = make(tenant_number(1), "a");
    must_save(one);
    const auto last = save_document({"user", "u", "{}", 0})->rev;
    close();
    fs::rename(tenant_folder(1) / "a", tenant_folder(1) / (".erased-" + digits(last + 1) + "-x"));
    fs::rename(root() / ".gallery/accounts/user/u.json",
               root() / (".gallery/accounts/user/.erased-" + digits(last + 2) + "-u"));
    reopen();
    expect_absent(one);
    BOOST_TEST(await(documents().find("user", "u")).has_error());
    const auto all = changes_after(last);
    BOOST_TEST_REQUIRE(all.size() == 2U);
    BOOST_TEST((all[0].what == change::kind::image_erased && all[0].rev == last + 1 &&
                all[0].id == one.record.id && all[0].public_key == one.record.public_key));
    BOOST_TEST((all[1].what == change::kind::document_erased && all[1].document_id == "u"));
    BOOST_TEST(remains().empty());
    BOOST_TEST(must_save(one)->rev > last + 2);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_understood_is_set_aside_and_said) {
    const auto sound = make(tenant_number(1), "sound");
    must_save(sound);
    for (const auto* key : {"flipped", "empty", "gone", "copied"})
        must_save(make(tenant_number(1), key));
    save_document({"user", "u", "{\"role\":\"customer\"}", 0}).value();
    close();
    const auto flip = [](const fs::path& path, const std::string& from, const std::string& to) {
        auto text = content_of(path);
        text.replace(text.find(from), from.size(), to);
        write(path, text);
    };
    flip(tenant_folder(1) / "flipped/record.json", "Title of flipped", "Title of Flipped");
    flip(root() / ".gallery/accounts/user/u.json", "customer", "sysadmin");
    write(tenant_folder(1) / "empty/record.json", "");
    fs::remove(tenant_folder(1) / "gone/record.json");
    fs::copy(tenant_folder(1) / "copied", tenant_folder(1) / "copied by hand", fs::copy_options::recursive);
    fs::create_directory(tenant_folder(1) / "somebody's folder");
    write(tenant_folder(1) / "note.txt", "by hand");
    write(root() / "README", "by hand");
    take_log();
    reopen();
    const auto log = take_log();
    BOOST_TEST(was_logged(log, "flipped/record.json") == false);
    for (const auto* name : {"/flipped to", "/empty to", "/gone to", "/copied by hand to",
                             "/somebody's folder to", "/u.json to"})
        BOOST_TEST(was_logged(log, name), name);
    BOOST_TEST(was_logged(log, "ignored: README"));
    BOOST_TEST(was_logged(log, "note.txt"));
    BOOST_TEST(names_in(root() / ".gallery/set-aside").size() == 6U);
    BOOST_TEST(content_of(root() / "README") == "by hand");
    expect_stored(sound);
    BOOST_TEST(scan_all(std::nullopt, 10).size() == 2U);
    BOOST_TEST(await(documents().find("user", "u")).has_error());
    // Nothing was lost for good, and its place is free.
    must_save(make(tenant_number(1), "flipped"), precondition::absent());
    leave_unchecked();
}

BOOST_AUTO_TEST_CASE(check_names_what_is_set_aside_until_it_is_moved_out_of_the_store) {
    for (const auto* key : {"Damaged", "copied"})
        must_save(make(tenant_number(1), key));
    save_document({"user", "u", "{}", 0}).value();
    close();
    write(tenant_folder(1) / names_in(tenant_folder(1)).at(0) / "record.json", "{");
    fs::create_directory(tenant_folder(2));
    fs::copy(tenant_folder(1) / "copied", tenant_folder(2) / "copied", fs::copy_options::recursive);
    fs::copy(root() / ".gallery/accounts/user/u.json", root() / ".gallery/accounts/user/v.json");
    {
        const sync_record record;
        reopen();
        const auto paths = record.paths();
        for (const auto& folder : {root() / ".gallery/set-aside", root() / ".gallery"})
            BOOST_TEST((std::find(paths.begin(), paths.end(), fs::canonical(folder)) != paths.end()), folder);
    }
    const auto set_aside = [this] {
        for (const auto& one : engine().statistics()) {
            if (one.name == "entries_set_aside") return one.value;
        }
        return -1.0;
    };
    for (int i = 0; i < 2; ++i) {  // also at later starts, which find nothing wrong any more
        BOOST_TEST(set_aside() == 3.0);
        const auto report = await(engine().check());
        BOOST_TEST_REQUIRE(report.has_value());
        BOOST_TEST(report->problems.size() == 3U);
        for (const auto* part :
             {"_Damaged~", "image \"copied\" of tenant", "the document user/u", ".gallery/set-aside/"})
            BOOST_TEST(was_logged(report->problems, part), part);
        reopen();
    }
    const test::scratch_folder elsewhere;
    for (const auto& name : names_in(root() / ".gallery/set-aside"))
        fs::rename(root() / ".gallery/set-aside" / name, elsewhere.path() / name);
    expect_sound();  // without a restart
    BOOST_TEST(set_aside() == 0.0);
}

BOOST_AUTO_TEST_CASE(a_folder_copied_to_another_tenant_does_not_shadow_the_first) {
    const auto one = make(tenant_number(1), "a");
    must_save(one);
    close();
    fs::copy(tenant_folder(1), tenant_folder(2), fs::copy_options::recursive);
    reopen();
    expect_stored(one);
    BOOST_TEST(find(tenant_number(2), "a").has_error());
    leave_unchecked();
}

BOOST_AUTO_TEST_CASE(missing_and_shortened_files_are_said_at_the_start_and_are_errors_when_read) {
    for (const auto* key : {"missing", "short", "link"})
        must_save(make(tenant_number(1), key, 50'000));
    close();
    fs::remove(tenant_folder(1) / "missing/original.jpg");
    fs::resize_file(tenant_folder(1) / "short/original.jpg", 49'999);
    fs::rename(tenant_folder(1) / "link/original.jpg", tenant_folder(1) / "link/elsewhere");
    fs::create_symlink("elsewhere", tenant_folder(1) / "link/original.jpg");
    take_log();
    reopen();
    leave_unchecked();
    const auto log = take_log();
    for (const auto* key : {"missing", "short", "link"}) {
        BOOST_TEST(was_logged(log, std::string("/") + key + "/original.jpg"));
        const auto record = must_find(tenant_number(1), key);
        const auto got = read(record, representation::original);
        BOOST_TEST_REQUIRE(got.has_error());
        BOOST_TEST((got.error().code == errc::corrupt || got.error().code == errc::io_error));
        BOOST_TEST(read(record, representation::preview).has_value());
    }
    const auto report = await(engine().check());
    BOOST_TEST_REQUIRE(report.has_value());
    BOOST_TEST(report->problems.size() == 3U);
    for (const auto* part :
         {"/missing/original.jpg of image \"missing\"", "/short/original.jpg of image \"short\"",
          "/link/original.jpg of image \"link\""})
        BOOST_TEST(was_logged(report->problems, part), part);
    // Putting the file back is enough; no restart.
    fs::rename(tenant_folder(1) / "link/elsewhere", tenant_folder(1) / "link/original.jpg");
    BOOST_TEST(read(must_find(tenant_number(1), "link"), representation::original).has_value());
}

BOOST_AUTO_TEST_CASE(check_finds_what_somebody_did_to_the_open_tree) {
    must_save(make(tenant_number(1), "a"));
    must_save(make(tenant_number(1), "b"));
    save_document({"user", "u", "{}", 0}).value();
    leave_unchecked();
    fs::create_directory(tenant_folder(1) / "stray");
    fs::remove(tenant_folder(1) / "b/record.json");
    fs::remove(root() / ".gallery/accounts/user/u.json");
    const auto report = await(engine().check());
    BOOST_TEST_REQUIRE(report.has_value());
    BOOST_TEST(report->problems.size() == 3U);
    // Each thing that was done is a problem of its own.
    for (const auto* part : {"/stray is on the disk and not in the index",
                             "/b cannot be read: ", ".gallery/accounts/user/u.json cannot be read: "})
        BOOST_TEST(
            std::count_if(report->problems.begin(), report->problems.end(),
                          [&](const auto& problem) { return problem.find(part) != std::string::npos; }) == 1,
            part);
}

BOOST_AUTO_TEST_CASE(a_tree_of_a_later_version_is_refused) {
    close();
    for (const auto& [content, code, part] :
         {std::tuple("gallery filesystem store 3\n", errc::unavailable, "format is 3"),
          std::tuple("gallery filesystem store 2 and more\n", errc::corrupt, "store 2 and more"),
          std::tuple("something else\n", errc::corrupt, "something else")}) {
        write(root() / ".gallery/format", content);
        const auto opened = open_store(folder());
        BOOST_TEST_REQUIRE(opened.has_error());
        BOOST_TEST(opened.error().code == code);
        BOOST_TEST(opened.error().message.find(part) != std::string::npos, opened.error().message);
        BOOST_TEST(opened.error().message.find(folder()) != std::string::npos);
        BOOST_TEST(content_of(root() / ".gallery/format") == content);
    }
    leave_unchecked();
}

BOOST_AUTO_TEST_CASE(options_are_checked_and_named) {
    close();
    const auto refused = [&](const std::string& name, const std::string& value) {
        auto& options = under_test().options;
        const auto before = std::exchange(options, {{name, value}});
        const auto opened = open_store(folder());
        options = before;
        return opened.has_error() && opened.error().code == errc::invalid_argument &&
               opened.error().message.find(name) != std::string::npos;
    };
    BOOST_TEST(refused("cache_bytes", "many"));
    BOOST_TEST(refused("cache_bytes", "-1"));
    BOOST_TEST(refused("threads", "0"));
    BOOST_TEST(refused("rename_exchange", "sometimes"));
    BOOST_TEST(refused("cache_byte", "1"));
}

BOOST_AUTO_TEST_SUITE_END()
