// SPDX-License-Identifier: Apache-2.0
// The document that says of which store another one is a copy.
#include "mirror/mark.hpp"

#include "stores.hpp"

#include <string>
#include <thread>

namespace gallery::mirror::test {

namespace {

mark some_mark() {
    mark out;
    out.source = "rocksdb:/srv/\xc3\xa4";
    out.source_id = "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed";
    out.source_start = "5f0c2b7e-5c1d-4a57-9d0c-1f0e9f4b8a11";
    out.set_aside = 3;
    out.is_complete = true;
    out.is_damaged = true;
    out.at = stage::kept;
    out.position = 1'234'567;
    out.begun_time = 1'700'000'000'000;
    out.changed_time = 1'700'000'000'001;
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(marks)

BOOST_AUTO_TEST_CASE(a_mark_is_read_as_it_was_written) {
    BOOST_TEST(bool(parse_mark(to_json(some_mark())) == some_mark()));
    BOOST_TEST(bool(parse_mark(to_json(mark())) == mark()));
}

BOOST_AUTO_TEST_CASE(another_text_is_no_mark) {
    for (const char* text :
         {"", "{}", "[]", R"({"source":"a","stage":"asleep","position":1})", R"({"source":"a","position":1})",
          R"({"source":"a","stage":"kept","position":-1})"})
        BOOST_TEST(!parse_mark(text), text);
}

BOOST_AUTO_TEST_CASE(a_server_takes_over_a_complete_copy_only) {
    scratch_store store("memory");
    BOOST_TEST(await(take_over(store->documents())).value() == "");

    mark value = some_mark();
    value.is_complete = false;
    save_document(*store, std::string(mark_kind), "state", to_json(value));
    const auto refused = await(take_over(store->documents()));
    BOOST_REQUIRE(refused.has_error());
    BOOST_TEST(bool(refused.error().code == errc::unavailable));
    BOOST_TEST(refused.error().message.find(value.source) != std::string::npos);

    save_document(*store, std::string(mark_kind), "state", to_json(some_mark()));
    BOOST_TEST(await(take_over(store->documents())).value() == some_mark().source);
    BOOST_TEST(!await(find_mark(store->documents())).value().has_value());
}

BOOST_AUTO_TEST_CASE(a_copy_whose_mark_cannot_be_removed_is_not_taken_over) {
    // A later copy would overwrite what a server has written to it.
    for (const auto code : {errc::no_space, errc::read_only}) {
        scratch_store store("memory");
        save_document(*store, std::string(mark_kind), "state", to_json(some_mark()));
        faulty_store closed(*store);
        closed.faulty_texts.on_write = [code] { return error{code, "not now"}; };
        const auto taken = await(take_over(closed.documents()));
        BOOST_REQUIRE(taken.has_error());
        BOOST_TEST(bool(taken.error().code == code));
        BOOST_TEST(taken.error().message.find(some_mark().source) != std::string::npos);
        BOOST_TEST(taken.error().message.find("start again") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_mark_that_is_written_meanwhile_is_not_taken_over) {
    scratch_store store("memory");
    save_document(*store, std::string(mark_kind), "state", to_json(some_mark()));
    faulty_store busy(*store);
    busy.faulty_texts.on_write = [&store]() -> std::optional<error> {
        std::thread([&store] {
            save_document(*store, std::string(mark_kind), "state", to_json(some_mark()));
        }).join();
        return std::nullopt;
    };
    BOOST_TEST(bool(await(take_over(busy.documents())).error().code == errc::version_conflict));
}

BOOST_AUTO_TEST_CASE(a_damaged_mark_is_an_error) {
    scratch_store store("memory");
    save_document(*store, std::string(mark_kind), "state", "not a mark");
    BOOST_TEST(bool(await(take_over(store->documents())).error().code == errc::corrupt));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::mirror::test
