// SPDX-License-Identifier: Apache-2.0
// Folders and files that somebody removed while the store was open can be erased and written again.
#include "tree_fixture.hpp"

using namespace gallery;
using namespace gallery::contract;

namespace {

/// The engine removes what was replaced at the same time, so that an entry may be gone when it is reached.
void remove_completely(const fs::path& what) {
    std::error_code failed;
    do
        fs::remove_all(what, failed);
    while (failed == std::errc::no_such_file_or_directory || failed == std::errc::directory_not_empty);
    BOOST_REQUIRE_MESSAGE(!failed, what << ": " << failed.message());
}

struct removed_fixture : tree_fixture {
    image one = make(tenant_number(1), "one", 50'000);
    image two = make(tenant_number(1), "two");

    void store_both() {
        must_save(one);
        must_save(two);
    }
    void expect_erased(const char* key) {
        const auto outcome = erase(tenant_number(1), key);
        BOOST_REQUIRE_MESSAGE(outcome.has_value(), outcome.error().message);
        BOOST_TEST(outcome->status == write_status::committed);
    }
    template <class Test>
    void in_both_ways(Test test) {
        auto& options = under_test().options;
        for (const auto* way : {"auto", "never"}) {
            BOOST_TEST_INFO_SCOPE(way);
            options["rename_exchange"] = way;
            reopen();
            test();
        }
        options.erase("rename_exchange");
        reopen();
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(removed, removed_fixture)

BOOST_AUTO_TEST_CASE(an_image_whose_folder_is_gone_is_replaced) {
    in_both_ways([this] {
        store_both();
        remove_completely(tenant_folder(1) / "one");
        const auto read_one = read(must_find(tenant_number(1), "one"), representation::original);
        BOOST_TEST_REQUIRE(read_one.has_error());
        BOOST_TEST(read_one.error().code == errc::corrupt);
        BOOST_TEST(read_one.error().message.find("upload the image again") != std::string::npos);
        one = with_bytes(one, 40'000, 10);
        must_save(one);
        expect_stored(one);
        expect_sound();
        reopen();
        expect_stored(one);
        BOOST_TEST(remains().empty());
    });
}

BOOST_AUTO_TEST_CASE(an_image_whose_folder_is_gone_is_erased) {
    in_both_ways([this] {
        store_both();
        remove_completely(tenant_folder(1) / "one");
        const auto before = last_change();
        expect_erased("one");
        BOOST_TEST(changes_after(before).size() == 1U);
        expect_absent(one);
        expect_sound();
        reopen();
        expect_absent(one);
        expect_stored(two);
    });
}

BOOST_AUTO_TEST_CASE(an_image_whose_folder_is_gone_cannot_be_renamed_and_the_answer_says_what_to_do) {
    store_both();
    remove_completely(tenant_folder(1) / "one");
    const auto outcome = update(*must_find(tenant_number(1), "one"));
    BOOST_TEST_REQUIRE(outcome.has_error());
    BOOST_TEST(outcome.error().code == errc::corrupt);
    BOOST_TEST(outcome.error().message.find("upload the image again") != std::string::npos);
    must_save(one);
    expect_stored(one);
}

BOOST_AUTO_TEST_CASE(a_folder_that_is_back_is_read) {
    store_both();
    fs::rename(tenant_folder(1) / "one", root() / "elsewhere");
    BOOST_TEST(read(must_find(tenant_number(1), "one"), representation::original).has_error());
    fs::rename(root() / "elsewhere", tenant_folder(1) / "one");
    expect_stored(one);
}

BOOST_AUTO_TEST_CASE(a_tenant_whose_folder_is_gone_is_emptied_and_filled) {
    in_both_ways([this] {
        store_both();
        remove_completely(tenant_folder(1));
        expect_erased("one");
        must_save(two);
        expect_stored(two);
        must_save(one);
        expect_stored(one);
        expect_sound();
        reopen();
        expect_stored(one);
        expect_stored(two);
    });
}

BOOST_AUTO_TEST_CASE(a_document_that_is_gone_is_written_and_erased) {
    in_both_ways([this] {
        for (const auto* path : {".gallery/accounts/user/u.json", ".gallery/accounts/user"}) {
            BOOST_TEST_INFO_SCOPE(path);
            save_document({"user", "u", "{}", 0}).value();
            remove_completely(root() / path);
            save_document({"user", "u", "{\"n\":1}", 0}).value();
            expect_sound();
            remove_completely(root() / path);
            const auto outcome = test::await(documents().erase("user", "u", precondition::any()));
            BOOST_REQUIRE_MESSAGE(outcome.has_value(), outcome.error().message);
            BOOST_TEST(outcome->status == write_status::committed);
            reopen();
            BOOST_TEST(test::await(documents().find("user", "u")).has_error());
        }
    });
}

BOOST_AUTO_TEST_SUITE_END()
