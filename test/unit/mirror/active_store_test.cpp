// SPDX-License-Identifier: Apache-2.0
// Which store a server serves from after a switch: the file that says so, and the document of the store
// before.
#include "mirror/active_store.hpp"

#include "mirror/identity.hpp"
#include "mirror/mark.hpp"
#include "mirror/same_folder.hpp"
#include "mirror/superseded.hpp"

#include "descriptors.hpp"
#include "stores.hpp"

#include <fstream>

#include <sys/stat.h>

namespace gallery::mirror::test {

namespace {

active_store some_decision(const std::filesystem::path& folder) {
    active_store out;
    out.now = {
        {"filesystem", "/srv/\xc3\xa4 b", {{"threads", "3"}, {"secret", "a\"b\n"}}}, "filesystem", "id 1"};
    out.before = {{"/opt/engine.so", (folder / "rocksdb").string(), {}}, "rocksdb", "id 2"};
    out.since = 1'700'000'000'000;
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(active_stores)

BOOST_AUTO_TEST_CASE(the_file_is_read_as_it_was_written_and_only_its_owner_can_read_it) {
    const gallery::test::scratch_folder folder;
    const auto path = (folder.path() / active_store_file).string();
    BOOST_TEST(!read_active_store(path).value().has_value());
    const auto decided = some_decision(folder.path());
    require(write_active_store(path, decided));
    BOOST_TEST(bool(read_active_store(path).value() == decided));
    struct stat status {};
    BOOST_REQUIRE(::stat(path.c_str(), &status) == 0);
    BOOST_TEST((status.st_mode & 0777U) == 0600U);
    auto next = decided;
    std::swap(next.now, next.before);
    require(write_active_store(path, next));
    BOOST_TEST(bool(read_active_store(path).value() == next));
}

BOOST_AUTO_TEST_CASE(a_store_without_a_folder_is_one_that_its_options_name) {
    const gallery::test::scratch_folder folder;
    const auto path = (folder.path() / active_store_file).string();
    auto decided = some_decision(folder.path());
    decided.now = {{"postgresql", "", {{"dsn", "host=db1"}}}, "postgresql", "id 1"};
    require(write_active_store(path, decided));
    BOOST_TEST(bool(read_active_store(path).value() == decided));
    decided.now.address.options.clear();
    require(write_active_store(path, decided));
    BOOST_TEST(read_active_store(path).has_error());
    const target_address one{"postgresql", "", {{"dsn", "host=db1"}}};
    auto other = one;
    BOOST_TEST(is_same_store(one, other));
    other.options["schema"] = "another";
    BOOST_TEST(!is_same_store(one, other));
    BOOST_TEST(!is_same_store(one, {"rocksdb", "/data", {}}));
    BOOST_TEST(is_same_store({"rocksdb", "/data", {{"a", "b"}}}, {"rocksdb", "/data/", {}}));
}

BOOST_AUTO_TEST_CASE(a_data_folder_can_be_moved_and_other_folders_stay_where_they_are) {
    const gallery::test::scratch_folder folder;
    const auto first = folder.path() / "first";
    const auto second = folder.path() / "second";
    std::filesystem::create_directory(first);
    auto decided = some_decision(first);
    require(write_active_store((first / active_store_file).string(), decided));
    std::filesystem::rename(first, second);
    const auto moved = read_active_store((second / active_store_file).string()).value();
    BOOST_REQUIRE(moved.has_value());
    BOOST_TEST(moved->before.address.path == (second / "rocksdb").string());
    BOOST_TEST(moved->now.address.path == decided.now.address.path);
}

BOOST_AUTO_TEST_CASE(a_folder_is_the_same_by_another_path) {
    const gallery::test::scratch_folder folder;
    std::filesystem::create_directory(folder.path() / "one");
    std::filesystem::create_directory_symlink("one", folder.path() / "link");
    const auto one = (folder.path() / "one").string();
    for (const char* other : {"one", "one/", "./one", "link", "link/../one"})
        BOOST_TEST(is_same_folder(one, folder.path().string() + "/" + other), other);
    for (const char* other : {"two", "one/two", ""})
        BOOST_TEST(!is_same_folder(one, folder.path().string() + "/" + other), other);
    BOOST_TEST(!is_same_folder(one, ""));
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_replaced_stays_as_it_was) {
    const gallery::test::scratch_folder folder;
    const auto path = (folder.path() / active_store_file).string();
    const auto decided = some_decision(folder.path());
    require(write_active_store(path, decided));
    auto next = decided;
    std::swap(next.now, next.before);
    for (const int left : {0, 1}) {
        result<void> written;
        {
            const used_descriptors used(left);
            written = write_active_store(path, next);
        }
        BOOST_REQUIRE(written.has_error());
        BOOST_TEST(bool(written.error().code == errc::io_error));
        BOOST_TEST(bool(read_active_store(path).value() == decided));
    }
}

BOOST_AUTO_TEST_CASE(another_content_is_an_error_with_the_remedy) {
    const gallery::test::scratch_folder folder;
    const auto path = (folder.path() / active_store_file).string();
    for (const char* text :
         {"", "{}", "[]", R"({"now":{"engine":"a","path":"b","options":{},"plugin":"a"},"since":1})",
          R"({"now":{},"before":{},"since":1})"}) {
        std::ofstream(path, std::ios::trunc) << text;
        const auto read = read_active_store(path);
        BOOST_REQUIRE_MESSAGE(read.has_error(), text);
        BOOST_TEST(bool(read.error().code == errc::corrupt));
        BOOST_TEST(read.error().message.find(path) != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_store_says_which_one_has_taken_its_place_until_it_is_released) {
    scratch_store store("memory");
    auto& documents = store->documents();
    BOOST_TEST(!await(find_successor(documents)).value().has_value());
    const auto by = successor_of(some_decision("/data"));
    BOOST_TEST(by.engine == "filesystem");
    require(await(note_successor(documents, by)));
    BOOST_TEST(bool(await(find_successor(documents)).value() == by));
    const auto last = await(store->feed().last()).value();
    require(await(note_successor(documents, by)));
    BOOST_TEST(await(store->feed().last()).value() == last);  // once is enough
    mark copied;
    copied.source = "another";
    BOOST_REQUIRE(await(documents.save(to_document(copied), precondition::any())).has_value());
    require(await(release_store(documents)));
    BOOST_TEST(!await(find_successor(documents)).value().has_value());
    BOOST_TEST(!await(find_mark(documents)).value().has_value());
    const auto released = await(store->feed().last()).value();
    require(await(release_store(documents)));
    BOOST_TEST(await(store->feed().last()).value() == released);
}

BOOST_AUTO_TEST_CASE(one_server_at_a_time_claims_a_store) {
    scratch_store store("memory");
    auto& documents = store->documents();
    const successor claim{"rocksdb", "/a", "id", 5, "one"};
    BOOST_REQUIRE(await(claim_store(documents, claim, false)).has_value());
    BOOST_REQUIRE(await(claim_store(documents, claim, false)).has_value());
    BOOST_TEST(bool(await(find_successor(documents)).value() == claim));
    const successor other{"rocksdb", "/b", "id", 5, "other"};
    BOOST_TEST(bool(await(claim_store(documents, other, false)).error().code == errc::busy));
    require(await(give_back_store(documents, "other")));
    BOOST_TEST(bool(await(find_successor(documents)).value() == claim));
    require(await(give_back_store(documents, "one")));
    BOOST_TEST(!await(find_successor(documents)).value().has_value());
    // A switch that was decided is no claim; the old store may be switched to again.
    require(await(note_successor(documents, {"rocksdb", "/a", "id", 5})));
    BOOST_TEST(bool(await(claim_store(documents, claim, false)).error().code == errc::busy));
    require(await(give_back_store(documents, "")));
    BOOST_TEST(await(find_successor(documents)).value().has_value());
    BOOST_REQUIRE(await(claim_store(documents, claim, true)).has_value());
    BOOST_TEST(await(find_successor(documents)).value()->node == "one");
    // What the claim of a target has replaced is put back, also if the claim was stored twice.
    BOOST_REQUIRE(await(claim_store(documents, claim, true)).has_value());
    require(await(give_back_store(documents, "one")));
    BOOST_TEST(bool(await(find_successor(documents)).value() == successor{"rocksdb", "/a", "id", 5, {}, {}}));
    // Also if another server has claimed it between.
    BOOST_REQUIRE(await(claim_store(documents, other, true)).has_value());
    BOOST_REQUIRE(await(claim_store(documents, claim, true)).has_value());
    require(await(give_back_store(documents, "other")));
    BOOST_TEST(await(find_successor(documents)).value()->node == "one");
    require(await(give_back_store(documents, "one")));
    BOOST_TEST(bool(await(find_successor(documents)).value() == successor{"rocksdb", "/a", "id", 5, {}, {}}));
}

BOOST_AUTO_TEST_CASE(a_successor_that_cannot_be_read_is_an_error_and_is_replaced) {
    scratch_store store("memory");
    save_document(*store, "superseded", "by", "{}");
    BOOST_TEST(bool(await(find_successor(store->documents())).error().code == errc::corrupt));
    require(await(note_successor(store->documents(), {"rocksdb", "/a", "id", 5})));
    BOOST_TEST(await(find_successor(store->documents())).value()->path == "/a");
}

BOOST_AUTO_TEST_CASE(the_document_belongs_to_its_store_and_is_not_copied) {
    scratch_store source("memory");
    scratch_store target("memory");
    fill(*source, 3);
    require(await(note_successor(source->documents(), {"rocksdb", "/a", "id", 5})));
    copier all(*source, *target, "the source", small_pages());
    require(copy_all(all));
    BOOST_TEST(!await(find_successor(target->documents())).value().has_value());
    require(await(note_successor(target->documents(), {"rocksdb", "/b", "id", 5})));
    require(copy_all(all));
    BOOST_TEST(await(find_successor(target->documents())).value()->path == "/b");
}

BOOST_AUTO_TEST_CASE(a_store_whose_place_the_source_has_taken_is_accepted_as_its_copy) {
    scratch_store source("memory");
    scratch_store target("memory");
    fill(*source, 5);
    fill(*target, 3);
    const auto identity = await(ensure_identity(source->documents())).value();
    copier first(*source, *target, "the source", small_pages());
    BOOST_TEST(bool(await(first.begin(false)).error().code == errc::already_exists));
    require(await(note_successor(target->documents(), {"memory", "/b", "another identity", 5})));
    BOOST_TEST(bool(await(first.begin(false)).error().code == errc::already_exists));
    require(await(note_successor(target->documents(), {"memory", "/b", identity, 5})));
    copier second(*source, *target, "the source", small_pages());
    require(copy_all(second));
    check_same(*source, *target);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::mirror::test
