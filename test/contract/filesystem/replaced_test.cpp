// SPDX-License-Identifier: Apache-2.0
// A replacement in two steps that was killed, among the remains of earlier ones.
#include "disk_fault.hpp"
#include "tree_fixture.hpp"

#include <cerrno>

using namespace gallery;
using namespace gallery::contract;

namespace {

struct replaced_fixture : tree_fixture {
    image one = make(tenant_number(1), "a");
    std::vector<fs::path> versions;  ///< copies of the folder of each save, oldest first
    test::scratch_folder shelf;

    replaced_fixture() {
        under_test().options["rename_exchange"] = "never";
        reopen();
    }
    ~replaced_fixture() { under_test().options.erase("rename_exchange"); }

    [[nodiscard]] fs::path home() const { return tenant_folder(1) / "a"; }

    /// Saves the image with so many contents in turn; `one` is the last.
    void save_versions(unsigned count) {
        for (unsigned i = 0; i < count; ++i) {
            if (i != 0) one = with_bytes(one, 200 + i, 30);
            must_save(one);
            versions.push_back(shelf.path() / std::to_string(i));
            fs::copy(home(), versions.back(), fs::copy_options::recursive);
        }
        close();
    }
    /// Puts a version into the tree as what a replacement has renamed.
    void leave_replaced(unsigned version, const std::string& suffix) {
        fs::copy(versions[version], tenant_folder(1) / (".old-" + suffix), fs::copy_options::recursive);
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(replaced, replaced_fixture)

BOOST_AUTO_TEST_CASE(of_several_remains_the_newest_goes_back_in_whatever_order_they_are_read) {
    save_versions(3);
    // Which of these names a folder lists first is up to the file system: every version has several, so that
    // whoever takes the first one takes a wrong one in nearly all runs.
    for (int round = 0; round < 4; ++round) {
        fs::remove_all(home());
        leave_replaced(0, "a" + std::to_string(round));
        leave_replaced(2, "m" + std::to_string(round));
        leave_replaced(1, "z" + std::to_string(round));
        leave_replaced(0, "n" + std::to_string(round));
        reopen();
        expect_stored(one);
        BOOST_TEST(remains().empty());
        close();
    }
    reopen();
}

BOOST_AUTO_TEST_CASE(an_image_that_was_replaced_and_then_erased_does_not_come_back) {
    must_save(one);
    const auto next = with_bytes(one, 300, 30);
    {
        const disk_fault nothing_can_be_removed(disk_call::remove, "original", EIO);
        must_save(next);
        BOOST_TEST(erase(tenant_number(1), "a")->status == write_status::committed);
        close();
        BOOST_TEST(nothing_can_be_removed.hits() != 0U);
    }
    reopen();
    expect_absent(next);
    BOOST_TEST(remains().empty());
}

BOOST_AUTO_TEST_CASE(remains_go_only_when_what_is_in_place_is_as_new) {
    save_versions(3);
    // Somebody restored the home from an old backup over the remains of a newer save.
    fs::remove_all(home());
    fs::copy(versions[0], home(), fs::copy_options::recursive);
    leave_replaced(2, "b");
    leave_replaced(1, "c");
    reopen();
    expect_stored(one);
    BOOST_TEST(remains().empty());
    BOOST_TEST(names_in(root() / ".gallery/set-aside").size() == 1U);
    leave_unchecked();
}

BOOST_AUTO_TEST_CASE(remains_of_an_image_that_is_damaged_in_place_are_not_deleted) {
    save_versions(2);
    write(home() / "record.json", "{");
    leave_replaced(0, "b");
    reopen();
    BOOST_TEST(find(tenant_number(1), "a").has_error());
    BOOST_TEST(names_in(root() / ".gallery/set-aside").size() == 2U);
    leave_unchecked();
}

BOOST_AUTO_TEST_CASE(remains_whose_record_is_damaged_are_set_aside_and_the_others_count) {
    save_versions(2);
    fs::remove_all(home());
    leave_replaced(0, "a");
    leave_replaced(1, "b");
    leave_replaced(1, "c");
    write(tenant_folder(1) / ".old-c/record.json", "{");
    reopen();
    expect_stored(one);
    BOOST_TEST(remains().empty());
    BOOST_TEST(names_in(root() / ".gallery/set-aside").size() == 1U);
    leave_unchecked();
}

BOOST_AUTO_TEST_CASE(a_replaced_folder_that_cannot_be_read_or_put_back_refuses_the_start) {
    save_versions(2);
    fs::remove_all(home());
    leave_replaced(1, "b");
    {
        const disk_fault fault(disk_call::open, ".old-b/record.json", EIO);
        const auto opened = open_store(folder());
        BOOST_TEST_REQUIRE(opened.has_error());
        BOOST_TEST(opened.error().message.find(".old-b") != std::string::npos);
    }
    {
        const disk_fault fault(disk_call::rename, "/a", EIO);
        BOOST_TEST(open_store(folder()).has_error());
        BOOST_TEST(fault.hits() != 0U);
    }
    reopen();
    expect_stored(one);
}

BOOST_AUTO_TEST_SUITE_END()
