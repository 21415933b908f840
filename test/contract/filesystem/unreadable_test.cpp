// SPDX-License-Identifier: Apache-2.0
// Errors while a tree is read: nothing is taken for gone because it could not be read this once.
#include "disk_fault.hpp"
#include "tree_fixture.hpp"

#include <cerrno>

using namespace gallery;
using namespace gallery::contract;
using gallery::test::await;

namespace {

struct unreadable_fixture : tree_fixture {
    /// The store, which is closed, is not opened while reading a path with @p part fails, and is as it was.
    void expect_refusal(const std::string& part, int error_number) {
        const auto before = tree();
        {
            const disk_fault fault(disk_call::open, part, error_number);
            const auto opened = open_store(folder());
            BOOST_TEST_REQUIRE(fault.hits() != 0U);
            BOOST_TEST_REQUIRE(opened.has_error(), part << ": the store was opened");
            BOOST_TEST(opened.error().message.find(part) != std::string::npos, opened.error().message);
        }
        BOOST_TEST(tree() == before);
    }
    [[nodiscard]] std::vector<std::string> tree() const {
        std::vector<std::string> paths;
        for (const auto& entry : fs::recursive_directory_iterator(root()))
            paths.push_back(entry.path());
        std::sort(paths.begin(), paths.end());
        return paths;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(unreadable, unreadable_fixture)

BOOST_AUTO_TEST_CASE(a_record_that_cannot_be_read_this_once_refuses_the_start_and_stays_where_it_is) {
    std::vector<image> images;
    for (const auto* key : {"a", "b", "c"}) {
        images.push_back(make(tenant_number(1), key));
        must_save(images.back());
    }
    close();
    for (const int number : {EIO, EMFILE, ENOMEM, EACCES})
        expect_refusal("b/record.json", number);
    reopen();
    for (const auto& one : images)
        expect_stored(one);
}

BOOST_AUTO_TEST_CASE(an_erasure_that_cannot_be_read_is_not_kept_from_the_feed) {
    const auto one = make(tenant_number(1), "a");
    const auto saved = must_save(one);
    close();
    auto digits = std::to_string(saved->rev + 1);
    digits.insert(0, 20 - digits.size(), '0');
    fs::rename(tenant_folder(1) / "a", tenant_folder(1) / (".erased-" + digits + "-x"));
    expect_refusal(".erased-", EIO);
    reopen();
    expect_absent(one);
    BOOST_TEST(changes_after(saved->rev).size() == 1U);
}

BOOST_AUTO_TEST_CASE(accounts_that_cannot_be_read_this_once_are_not_taken_for_a_new_installation) {
    save_document({"user", "u", "{}", 0}).value();
    save_document({"session", "s", "{}", 0}).value();
    close();
    for (const int number : {EIO, EMFILE, EACCES}) {
        expect_refusal(".gallery/accounts", number);
        expect_refusal(".gallery/accounts/user", number);
        expect_refusal("session/s.json", number);
    }
    reopen();
    BOOST_TEST(await(documents().find("user", "u")).has_value());
    BOOST_TEST(await(documents().find("session", "s")).has_value());
}

BOOST_AUTO_TEST_CASE(a_record_that_is_a_link_is_damage) {
    const auto one = make(tenant_number(1), "a");
    must_save(one);
    close();
    const auto record = tenant_folder(1) / "a/record.json";
    fs::rename(record, tenant_folder(1) / "a/elsewhere");
    fs::create_symlink("elsewhere", record);
    reopen();
    expect_absent(one);
    BOOST_TEST(names_in(root() / ".gallery/set-aside").size() == 1U);
    leave_unchecked();
}

BOOST_AUTO_TEST_SUITE_END()
