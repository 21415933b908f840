// SPDX-License-Identifier: Apache-2.0
// A disk that is full, cannot be written, or fails to synchronise.
#include "filesystem/disk_fault.hpp"
#include "store_fixture.hpp"

#include <sys/mount.h>
#include <sys/statvfs.h>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

using namespace gallery;
using namespace gallery::contract;

namespace {

namespace fs = std::filesystem;
constexpr std::uint64_t mib = 1ULL << 20;

/// A store on a small file system of its own, which only root can mount.
class small_disk_fixture : public store_fixture {
public:
    small_disk_fixture() {
        close();
        is_mounted_ =
            ::mount("tmpfs", disk_.path().c_str(), "tmpfs", 0, "size=200m,nr_inodes=1000,mode=0700") == 0;
        if (is_mounted_) open_again();
    }
    ~small_disk_fixture() {
        if (!is_mounted_) return;
        leave_unchecked();
        close();
        BOOST_CHECK(::umount(disk_.path().c_str()) == 0);
    }

    [[nodiscard]] bool is_mounted() const {
        if (!is_mounted_) BOOST_TEST_MESSAGE("skipped: only root can mount a small file system");
        return is_mounted_;
    }
    void open_again() {
        close();
        auto opened = open_store((disk_.path() / "store").string());
        BOOST_REQUIRE_MESSAGE(opened.has_value(), "the store did not open: " << opened.error().message);
        take(std::move(*opened));
    }
    [[nodiscard]] fs::path path() const { return disk_.path(); }
    [[nodiscard]] write_state writing() { return engine().writing(); }
    [[nodiscard]] std::uint64_t free_bytes() const {
        struct statvfs disk {};
        BOOST_TEST_REQUIRE(::statvfs(disk_.path().c_str(), &disk) == 0);
        return disk.f_bavail * disk.f_frsize;
    }
    /// As another process would.
    void fill_disk() {
        std::ofstream out(disk_.path() / "ballast", std::ios::binary | std::ios::app);
        const std::string block(64 * 1024, 'b');
        while (out.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
        }
        BOOST_TEST_REQUIRE(free_bytes() < 64 * 1024U);
    }
    void remount(unsigned long flags) {
        BOOST_TEST_REQUIRE(
            ::mount("", disk_.path().c_str(), "", MS_REMOUNT | flags, "size=200m,nr_inodes=1000") == 0);
    }
    std::vector<image> save_images(unsigned count, std::size_t size) {
        std::vector<image> saved;
        for (unsigned i = 0; i < count; ++i) {
            saved.push_back(make(tenant, "image" + std::to_string(i), size));
            must_save(saved.back());
        }
        return saved;
    }

    const tenant_id tenant = tenant_number(1);

private:
    test::scratch_folder disk_;
    bool is_mounted_ = false;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(full_disk, small_disk_fixture)

BOOST_AUTO_TEST_CASE(a_full_disk_serves_reads_and_accepts_erasures_and_small_writes_also_after_a_start) {
    if (!is_mounted()) return;
    const auto images = save_images(80, 100'000);
    for (unsigned i = 0; i < 80; ++i)
        BOOST_TEST_REQUIRE(save_document({"session", "s" + std::to_string(i), "{}"}).has_value());
    for (unsigned round = 0; round < 2; ++round) {
        fill_disk();
        if (round == 1) {
            open_again();
            fill_disk();  // closing ended a log, which left space
        }
        const auto refused = save(make(tenant, "refused", 100'000));
        BOOST_TEST_REQUIRE(refused.has_error());
        BOOST_TEST(refused.error().code == errc::no_space);
        for (unsigned i = round * 40; i < round * 40 + 40; ++i) {
            const auto name = "image" + std::to_string(i);
            expect_stored(images[i]);
            auto renamed = images[i].record;
            renamed.title = "renamed";
            const auto updated = update(renamed);
            BOOST_REQUIRE_MESSAGE(updated.has_value(), "update: " << updated.error().message);
            const auto erased = erase(tenant, name);
            BOOST_REQUIRE_MESSAGE(erased.has_value(), "erase: " << erased.error().message);
            BOOST_TEST(erased->status == write_status::committed);
            expect_absent(images[i]);
            const auto id = "s" + std::to_string(i);
            BOOST_TEST_REQUIRE(save_document({"user", id, R"({"enabled":false})"}).has_value());
            const auto logged_out = await(documents().erase("session", id, precondition::any()));
            BOOST_REQUIRE_MESSAGE(logged_out.has_value(), "erase: " << logged_out.error().message);
        }
    }
    BOOST_TEST((writing().state == write_state::kind::ok));
}

BOOST_AUTO_TEST_CASE(what_is_erased_on_a_full_disk_makes_room_for_new_images) {
    if (!is_mounted()) return;
    std::vector<image> saved;
    for (;;) {
        auto next = make(tenant, "image" + std::to_string(saved.size()), mib);
        const auto outcome = save(next);
        if (!outcome) {
            BOOST_TEST(outcome.error().code == errc::no_space);
            break;
        }
        saved.push_back(std::move(next));
    }
    BOOST_TEST_REQUIRE(saved.size() > 20U);
    fill_disk();
    // Every second one, so that live bytes have to be moved, too.
    for (std::size_t i = 0; i < saved.size(); i += 2)
        BOOST_TEST_REQUIRE(erase(tenant, saved[i].record.key).has_value());
    const auto again = make(tenant, "again", mib);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    for (auto outcome = save(again); !outcome; outcome = save(again)) {
        BOOST_TEST_REQUIRE(outcome.error().code == errc::no_space);
        BOOST_TEST_REQUIRE((std::chrono::steady_clock::now() < deadline), "no room after a minute");
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    expect_stored(again);
    for (std::size_t i = 0; i < saved.size(); ++i)
        i % 2 == 0 ? expect_absent(saved[i]) : expect_stored(saved[i]);
    expect_sound();
}

BOOST_AUTO_TEST_CASE(a_store_on_a_disk_without_inodes_is_open_for_reading) {
    if (!is_mounted()) return;
    const auto images = save_images(10, 5000);
    close();
    const auto name = [this](unsigned number) { return path() / ("file" + std::to_string(number)); };
    unsigned files = 0;
    while (std::ofstream(name(files)).is_open())
        ++files;
    BOOST_TEST_REQUIRE(files > 100U);
    open_again();
    for (const auto& each : images)
        expect_stored(each);
    BOOST_TEST((writing().state == write_state::kind::read_only));
    const auto refused = save(images[0]);
    BOOST_TEST_REQUIRE(refused.has_error());
    BOOST_TEST(refused.error().code == errc::read_only);
    close();
    while (files-- > 0)
        fs::remove(name(files));
    open_again();
    BOOST_TEST((writing().state == write_state::kind::ok));
    must_save(make(tenant, "again"));
}

BOOST_AUTO_TEST_CASE(a_store_that_cannot_be_written_is_open_for_reading_and_reports_why) {
    if (!is_mounted()) return;
    const auto images = save_images(10, 5000);
    close();
    remount(MS_RDONLY);
    open_again();
    for (const auto& each : images)
        expect_stored(each);
    const auto state = writing();
    BOOST_TEST((state.state == write_state::kind::read_only));
    BOOST_TEST(state.reason.find("Read-only file system") != std::string::npos);
    for (const auto& outcome :
         {save(images[0]), erase(tenant, "image0"), save_document({"user", "one", "{}"})}) {
        BOOST_TEST_REQUIRE(outcome.has_error());
        BOOST_TEST(outcome.error().code == errc::read_only);
    }
    expect_sound();
    close();
    remount(0);
    open_again();
    BOOST_TEST((writing().state == write_state::kind::ok));
    must_save(make(tenant, "again"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(failed_synchronisation, store_fixture)

BOOST_AUTO_TEST_CASE(
    after_a_failed_synchronisation_reads_go_on_and_writes_are_refused_until_the_store_is_reopened) {
    const auto tenant = tenant_number(1);
    const auto kept = make(tenant, "kept");
    must_save(kept);
    {
        const disk_fault fault(disk_call::sync, ".log$", EIO);
        const auto outcome = save(make(tenant, "unknown"));
        BOOST_TEST_REQUIRE(fault.hits() == 1U);
        BOOST_TEST_REQUIRE(outcome.has_error());
        BOOST_TEST(outcome.error().code == errc::io_error);
    }
    for (const auto& outcome :
         {save(make(tenant, "refused")), erase(tenant, "kept"), save_document({"user", "one", "{}"})}) {
        BOOST_TEST_REQUIRE(outcome.has_error());
        BOOST_TEST(outcome.error().code == errc::read_only);
    }
    BOOST_TEST((engine().writing().state == write_state::kind::failed));
    BOOST_TEST(engine().writing().reason.find("restart the server") != std::string::npos);
    expect_stored(kept);
    reopen();
    BOOST_TEST((engine().writing().state == write_state::kind::ok));
    expect_stored(kept);
    must_save(make(tenant, "again"));
    BOOST_TEST(!find(tenant, "refused").has_value());
}

BOOST_AUTO_TEST_SUITE_END()
