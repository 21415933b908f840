// SPDX-License-Identifier: Apache-2.0
// How the upgrade of a store of version 0.1 changes the tree. ../upgrade_test.cpp has what it means to the
// server.
#include "data/store-0.1/contents.hpp"
#include "disk_fault.hpp"
#include "tree_fixture.hpp"
#include "upgrade_state.hpp"

#include <cerrno>
#include <cstdlib>
#include <optional>

using namespace gallery;
using namespace gallery::contract;
using gallery::test::await;

namespace {

struct format_fixture : tree_fixture {
    std::optional<test::scratch_folder> place;

    ~format_fixture() { close(); }

    void unpack() {
        close();
        place.emplace();
        const auto command = "tar -xzf '" GALLERY_TEST_DATA "/store-0.1/filesystem.tar.gz' -C '" +
                             place->path().string() + "'";
        BOOST_TEST_REQUIRE(std::system(command.c_str()) == 0);
    }
    result<std::unique_ptr<storage_engine>> try_open() { return open_store(place->path()); }
    void open_it() {
        close();
        auto opened = try_open();
        BOOST_REQUIRE_MESSAGE(opened.has_value(), opened.error().message);
        take(std::move(*opened));
    }
    [[nodiscard]] std::string format() const { return content_of(place->path() / ".gallery/format"); }

    void expect_whole() {
        BOOST_TEST(scan_all(std::nullopt, 5).size() == old_store::images().size());
        for (const auto& one : old_store::images()) {
            BOOST_TEST_INFO_SCOPE(one.record.key);
            const auto record = must_find(one.record.tenant, one.record.key);
            BOOST_TEST((read(record, representation::original).value() == one.original));
        }
        for (const auto& one : old_store::documents())
            BOOST_TEST(await(documents().find(one.kind, one.id))->body == one.body);
        expect_sound();
    }
};

}  // namespace

namespace gallery::contract {

upgrade_state upgrade_state_of(const std::string& folder) {
    const auto format = tree_fixture::content_of(folder + "/.gallery/format");
    // The number is changed at the end of the upgrade, in place.
    BOOST_TEST((format == "gallery filesystem store 1\n" || format == "gallery filesystem store 2\n"));
    return format == "gallery filesystem store 1\n" ? upgrade_state::not_begun : upgrade_state::done;
}

}  // namespace gallery::contract

BOOST_FIXTURE_TEST_SUITE(format, format_fixture)

BOOST_AUTO_TEST_CASE(an_upgrade_changes_the_format_and_leaves_records_as_they_are) {
    unpack();
    BOOST_TEST(format() == "gallery filesystem store 1\n");
    const auto path = place->path() / to_string(old_store::tenant(1)) / "abend.png/record.json";
    const auto before = content_of(path);
    BOOST_TEST(before.find("gallery image 1") != std::string::npos);
    open_it();
    BOOST_TEST(format() == "gallery filesystem store 2\n");
    BOOST_TEST((content_of(path) == before));
    auto record = *must_find(old_store::tenant(1), "abend.png");
    record.tags = {"evening"};
    update(record).value();
    BOOST_TEST(content_of(path).find("gallery image 2") != std::string::npos);
    open_it();
    BOOST_TEST((must_find(old_store::tenant(1), "abend.png")->tags == record.tags));
}

BOOST_AUTO_TEST_CASE(an_upgrade_that_fails_anywhere_leaves_a_store_that_can_be_opened) {
    for (const auto which : {disk_call::open, disk_call::create, disk_call::write, disk_call::sync,
                             disk_call::rename, disk_call::remove, disk_call::shorten})
        for (unsigned spared = 0;; ++spared) {
            unpack();
            unsigned hits = 0;
            {
                const disk_fault fault(which, "", EIO, spared);
                (void)try_open();
                hits = fault.hits();
            }
            if (hits == 0) break;
            open_it();
            expect_whole();
            BOOST_TEST(format() == "gallery filesystem store 2\n");
            if (spared > 300) break;
        }
}

BOOST_AUTO_TEST_SUITE_END()
