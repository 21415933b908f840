// SPDX-License-Identifier: Apache-2.0
// A source that was put back at an earlier state is noticed, because the copy may be the only place that
// contains what was written after it.
#include "mirror/starts.hpp"

#include "stores.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace gallery::mirror::test {

namespace {

/// As a server does when it starts on the store.
void start_server(storage_engine& store) {
    const auto found = await(store.feed().last()).value();
    identify(store);
    require(await(add_start(store.documents(), found)));
}

void write_some(storage_engine& store, const std::string& name, int count) {
    for (int i = 0; i < count; ++i)
        save(store, make_picture(tenant(1), name + " " + std::to_string(i), name));
}

/// A source that was copied to `target`, and a copy of its files from before `written` was written.
struct put_back_source {
    explicit put_back_source(const char* engine) : source(engine) {
        fill(*source, 10);
        start_server(*source);
        keep_files();
        source.reopen();
    }
    void keep_files() {
        source.close();
        std::filesystem::remove_all(files.path() / "kept");
        std::filesystem::copy(source.folder(), files.path() / "kept",
                              std::filesystem::copy_options::recursive);
    }
    void put_back() { source.put_back(files.path() / "kept"); }
    void copy() {
        copier all(*source, *target, "the source", small_pages());
        require(copy_all(all));
    }
    void check_refused() {
        const auto before = await(target->feed().last()).value();
        copier all(*source, *target, "the source", small_pages());
        const auto begun = await(all.begin(false));
        BOOST_REQUIRE(begun.has_error());
        BOOST_TEST(bool(begun.error().code == errc::already_exists));
        BOOST_TEST(begun.error().message.find("put back") != std::string::npos);
        BOOST_TEST(await(target->feed().last()).value() == before);
        BOOST_TEST(await(find_mark(target->documents())).value()->value.is_complete);
    }

    scratch_store source;
    scratch_store target{"memory"};
    gallery::test::scratch_folder files;
};

const std::vector<store_start> three_starts{{"a", 10}, {"b", 20}, {"c", 30}};

}  // namespace

BOOST_AUTO_TEST_SUITE(histories)

BOOST_AUTO_TEST_CASE(a_source_that_was_put_back_is_refused_until_any_source_is_accepted) {
    for (const char* engine : {"filesystem", "rocksdb"}) {
        BOOST_TEST_CONTEXT(engine) {
            put_back_source all(engine);
            write_some(*all.source, "lost", 3);
            all.copy();
            all.put_back();
            all.check_refused();
            start_server(*all.source);
            all.check_refused();
            // Its revisions are higher now than those that the copy knows.
            write_some(*all.source, "of the other history", 20);
            all.check_refused();

            copier again(*all.source, *all.target, "the source", small_pages());
            require(await(again.begin(true)));
            require(await(again.copy_all()));
            require(await(again.complete(false)));
            check_same(*all.source, *all.target);
            all.copy();
        }
    }
}

BOOST_AUTO_TEST_CASE(a_source_that_was_put_back_at_an_earlier_start_is_refused) {
    put_back_source all("filesystem");
    start_server(*all.source);
    write_some(*all.source, "lost", 3);
    all.copy();
    all.put_back();
    start_server(*all.source);
    write_some(*all.source, "of the other history", 20);
    start_server(*all.source);
    all.check_refused();
}

BOOST_AUTO_TEST_CASE(a_source_that_was_put_back_at_a_later_state_than_the_copy_is_accepted) {
    put_back_source all("filesystem");
    all.copy();
    write_some(*all.source, "later", 3);
    all.keep_files();
    all.source.reopen();
    write_some(*all.source, "lost", 3);
    all.put_back();
    start_server(*all.source);
    all.copy();
    check_same(*all.source, *all.target);
}

BOOST_AUTO_TEST_CASE(ordinary_restarts_are_accepted) {
    put_back_source all("rocksdb");
    for (int i = 0; i < 5; ++i) {
        write_some(*all.source, "before " + std::to_string(i), 2);
        all.copy();
        all.source.reopen();
        start_server(*all.source);
        if (i % 2 == 0) write_some(*all.source, "after " + std::to_string(i), 2);
    }
    all.copy();
    check_same(*all.source, *all.target);
}

BOOST_AUTO_TEST_CASE(a_server_that_starts_during_a_copy_is_noted) {
    put_back_source all("filesystem");
    copier copying(*all.source, *all.target, "the source", small_pages());
    require(await(copying.begin(false)));
    require(await(copying.copy_all()));
    write_some(*all.source, "before the start", 2);
    start_server(*all.source);
    write_some(*all.source, "after the start", 2);
    require(await(copying.copy_all()));
    require(await(copying.complete(false)));
    const auto starts = await(find_starts(all.source->documents())).value();
    BOOST_TEST(starts.size() == 2U);
    BOOST_TEST(copying.state().source_start == starts.back().id);
    all.copy();
}

BOOST_AUTO_TEST_CASE(a_position_belongs_to_the_start_in_which_it_was_noted) {
    BOOST_TEST(has_history({}, 5, "", 5));
    BOOST_TEST(!has_history({}, 5, "", 6));
    BOOST_TEST(!has_history({}, 5, "a", 5));
    BOOST_TEST(has_history(three_starts, 40, "a", 20));
    BOOST_TEST(!has_history(three_starts, 40, "a", 21));
    BOOST_TEST(has_history(three_starts, 40, "b", 15));
    BOOST_TEST(has_history(three_starts, 40, "c", 40));
    BOOST_TEST(!has_history(three_starts, 40, "c", 41));
    BOOST_TEST(!has_history(three_starts, 40, "d", 1));
}

BOOST_AUTO_TEST_CASE(starts_are_listed_in_their_order_and_the_oldest_are_forgotten) {
    scratch_store store("memory");
    BOOST_TEST(await(find_starts(store->documents())).value().empty());
    for (revision i = 0; i < max_starts + 5; ++i)
        require(await(add_start(store->documents(), 1'000'000'000'000'000 + i)));
    const auto starts = await(find_starts(store->documents())).value();
    BOOST_REQUIRE(starts.size() == max_starts);
    BOOST_TEST(starts.front().found == 1'000'000'000'000'005U);
    BOOST_TEST(starts.back().found == 1'000'000'000'000'000U + max_starts + 4);
    BOOST_TEST(starts.front().id != starts.back().id);
}

BOOST_AUTO_TEST_CASE(a_list_of_starts_that_cannot_be_read_is_written_anew) {
    scratch_store store("memory");
    for (const char* text : {"", "{}", R"({"starts":1})", R"({"starts":[1]})", R"({"starts":[["a",-1]]})"}) {
        save_document(*store, std::string(identity_kind), "starts", text);
        BOOST_TEST(bool(await(find_starts(store->documents())).error().code == errc::corrupt), text);
        require(await(add_start(store->documents(), 7)));
        BOOST_TEST(await(find_starts(store->documents())).value().size() == 1U);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::mirror::test
