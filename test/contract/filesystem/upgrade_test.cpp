// A store of version 0.1 is upgraded when it is opened, and whole whatever interrupts that.
#include "../../data/store-0.1/contents.hpp"
#include "disk_fault.hpp"
#include "tree_fixture.hpp"

#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <optional>

using namespace gallery;
using namespace gallery::contract;
using gallery::test::await;

namespace {

struct old_store_fixture : tree_fixture {
    std::optional<test::scratch_folder> place;

    ~old_store_fixture() { close(); }

    void unpack() {
        close();
        place.emplace();
        const auto command = "tar -xzf '" STORE_0_1 "/filesystem.tar.gz' -C '" + place->path().string() + "'";
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
        const auto wanted = old_store::images();
        BOOST_TEST(scan_all(std::nullopt, 5).size() == wanted.size());
        std::map<tenant_id, usage_figures> usage;
        for (const auto& one : wanted) {
            BOOST_TEST_INFO_SCOPE(one.record.key);
            auto found = *must_find(one.record.tenant, one.record.key);
            BOOST_TEST(found.rev != 0U);
            BOOST_TEST(found.modified_time == found.created_time);
            BOOST_TEST(found.tags.empty());
            found.modified_time = one.record.modified_time;
            BOOST_TEST(same_but_revisions(found, one.record));
            const auto record = must_find(one.record.tenant, one.record.key);
            BOOST_TEST((read(record, representation::original).value() == one.original));
            if (!one.record.preview_is_original)
                BOOST_TEST((read(record, representation::preview).value() == one.preview));
            const auto same = await(store().find_by_content(one.record.tenant, one.record.original.etag));
            BOOST_TEST_REQUIRE(same->size() == 1U);
            BOOST_TEST((same->front()->id == one.record.id));
            auto& sum = usage[one.record.tenant];
            ++sum.count;
            sum.original_bytes += one.original.size();
            if (!one.record.preview_is_original) sum.preview_bytes += one.preview.size();
        }
        for (const auto& [tenant, sum] : usage)
            BOOST_TEST((await(store().usage(tenant)).value() == tenant_usage{sum, {}}));
        for (const auto& one : old_store::erased())
            BOOST_TEST(find(one.record.tenant, one.record.key).has_error());
        const auto documents_found = await(documents().scan("", "", 100)).value().items;
        BOOST_TEST(documents_found.size() == old_store::documents().size());
        for (const auto& one : old_store::documents())
            BOOST_TEST(await(documents().find(one.kind, one.id))->body == one.body);
        expect_sound();
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(upgrade, old_store_fixture)

BOOST_AUTO_TEST_CASE(a_store_of_version_0_1_is_whole_and_has_the_new_format) {
    unpack();
    BOOST_TEST(format() == "gallery filesystem store 1\n");
    take_log();
    open_it();
    BOOST_TEST(was_logged(take_log(), "upgraded the store from format 1 to format 2"));
    BOOST_TEST(format() == "gallery filesystem store 2\n");
    expect_whole();
    const auto last = last_change();
    open_it();
    BOOST_TEST(!was_logged(take_log(), "upgraded"));
    expect_whole();
    BOOST_TEST(last_change() == last);
    // What is new works on what was there.
    auto record = *must_find(old_store::tenant(1), "abend.png");
    record.tags = {"evening"};
    record.modified_time = 5;
    BOOST_TEST(update(record)->rev > last);
    erase(old_store::tenant(1), "zebra.png", {precondition::any(), previous_version::keep(9)}).value();
    open_it();
    BOOST_TEST((must_find(old_store::tenant(1), "abend.png")->tags == record.tags));
    BOOST_TEST(all_kept().at(0).record->key == "zebra.png");
    expect_sound();
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

BOOST_AUTO_TEST_CASE(an_upgrade_that_is_killed_leaves_a_store_that_can_be_opened) {
    unsigned killed = 0;
    for (unsigned i = 0; i < 100; ++i) {
        unpack();
        const auto child = ::fork();
        BOOST_TEST_REQUIRE(child >= 0);
        if (child == 0) {
            auto opened = try_open();
            ::_exit(opened ? 0 : 1);
        }
        ::usleep(static_cast<useconds_t>(number(20'000)));
        ::kill(child, SIGKILL);
        int status = 0;
        ::waitpid(child, &status, 0);
        if (WIFSIGNALED(status)) ++killed;
        open_it();
        if (i % 10 == 0) {
            expect_whole();
        } else {
            BOOST_TEST(scan_all(std::nullopt, 100).size() == old_store::images().size());
            expect_sound();
        }
    }
    BOOST_TEST(killed > 0U);
}

BOOST_AUTO_TEST_CASE(a_store_of_a_later_format_is_refused_with_both_numbers) {
    unpack();
    write(place->path() / ".gallery/format", "gallery filesystem store 3\n");
    const auto opened = try_open();
    BOOST_TEST_REQUIRE(opened.has_error());
    BOOST_TEST(opened.error().code == errc::unavailable);
    BOOST_TEST(opened.error().message.find("format 3") != std::string::npos, opened.error().message);
    BOOST_TEST(opened.error().message.find("up to 2") != std::string::npos, opened.error().message);
    BOOST_TEST(format() == "gallery filesystem store 3\n");
}

BOOST_AUTO_TEST_SUITE_END()
