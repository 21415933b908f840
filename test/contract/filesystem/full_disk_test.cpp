// SPDX-License-Identifier: Apache-2.0
// A full disk: no_space, nothing changed, nothing left behind, and erasing helps.
#include "disk_fault.hpp"
#include "tree_fixture.hpp"

#include <sys/mount.h>
#include <sys/resource.h>
#include <cerrno>
#include <csignal>
#include <optional>

using namespace gallery;
using namespace gallery::contract;

namespace {

/// No file of this process may grow beyond a limit, as on a disk that is full for large files only.
class file_size_limit {
public:
    explicit file_size_limit(rlim_t bytes) {
        ::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit now{bytes, before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &now);
    }
    ~file_size_limit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

private:
    rlimit before_{};
};

/// A small file system of its own; only root can have one.
class small_disk {
public:
    explicit small_disk(std::string path, const char* limits = "size=3m") : path_(std::move(path)) {
        is_mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, limits) == 0;
    }
    ~small_disk() {
        if (is_mounted_) ::umount(path_.c_str());
    }
    [[nodiscard]] bool is_mounted() const { return is_mounted_; }

private:
    std::string path_;
    bool is_mounted_;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(full_disk, tree_fixture)

BOOST_AUTO_TEST_CASE(a_body_that_does_not_fit_changes_nothing) {
    const auto one = make(tenant_number(1), "a", 1000);
    const auto saved = must_save(one);
    {
        const file_size_limit limit(400'000);
        for (const auto* key : {"a", "b"}) {
            const auto outcome = save(make(tenant_number(1), key, 500'000));
            BOOST_TEST_REQUIRE(outcome.has_error());
            BOOST_TEST(outcome.error().code == errc::no_space);
        }
    }
    expect_stored(one);
    BOOST_TEST(remains().empty());
    BOOST_TEST(last_change() == saved->rev);
    must_save(make(tenant_number(1), "b", 500'000));
}

BOOST_AUTO_TEST_CASE(a_full_disk_refuses_saves_keeps_what_is_there_and_takes_erasures) {
    const test::scratch_folder place;
    const small_disk disk(place.path());
    if (!disk.is_mounted()) {
        BOOST_TEST_MESSAGE("left out: mounting a small disk needs root");
        return;
    }
    leave_unchecked();
    close();
    auto opened = open_store(place.path());
    BOOST_TEST_REQUIRE(opened.has_value());
    take(std::move(*opened));
    std::vector<image> kept;
    for (unsigned i = 0;; ++i) {
        auto one = make(tenant_number(1), "k" + std::to_string(i), 3000 + number(30'000), 100);
        const auto outcome = save(one);
        if (!outcome) {
            BOOST_TEST(outcome.error().code == errc::no_space);
            break;
        }
        kept.push_back(std::move(one));
    }
    BOOST_TEST_REQUIRE(kept.size() > 20U);
    const auto last = last_change();
    // A replacement and a new image, again and again: each refused and cleaned up.
    for (int i = 0; i < 5; ++i) {
        const auto outcome =
            save(i % 2 == 0 ? with_bytes(kept[0], 200'000, 0) : make(tenant_number(1), "new", 200'000));
        BOOST_TEST((outcome.has_error() && outcome.error().code == errc::no_space));
    }
    BOOST_TEST(last_change() == last);
    for (const auto& one : kept)
        expect_stored(one);
    for (const auto& entry : fs::directory_iterator(place.path() / to_string(tenant_number(1))))
        BOOST_TEST(!entry.path().filename().string().starts_with(".tmp-"));
    expect_sound();
    for (std::size_t i = 0; i < 10; ++i) {
        const auto outcome = erase(tenant_number(1), kept[i].record.key);
        BOOST_TEST_REQUIRE(outcome.has_value());
        BOOST_TEST(outcome->status == write_status::committed);
    }
    bool fits = false;
    for (int i = 0; i < 1000 && !fits; ++i)  // the space is free soon after the erasure
        fits = save(make(tenant_number(1), "fits", 5000)).has_value();
    BOOST_TEST(fits);
    expect_sound();
    close();
    auto again = open_store(place.path());
    BOOST_TEST_REQUIRE(again.has_value());
    take(std::move(*again));
    for (std::size_t i = 10; i < kept.size(); ++i)
        expect_stored(kept[i]);
    expect_sound();
    close();
}

BOOST_AUTO_TEST_CASE(however_many_writes_a_full_disk_has_refused_it_can_be_emptied_and_opened) {
    const auto kept = must_save(make(tenant_number(1), "kept"));
    for (const auto* key : {"a", "b"})
        must_save(make(tenant_number(1), key));
    revision last = 0;
    {
        const disk_fault no_new_file(disk_call::create, "", ENOSPC);
        const auto write = [&](int i) {
            return i % 2 == 0 ? update(*kept) : save_document({"user", "u", "{}", 0});
        };
        int from_the_reserve = 0;
        while (write(0) || write(1))
            BOOST_TEST_REQUIRE(++from_the_reserve < 1'000);
        BOOST_TEST(from_the_reserve == 128);
        last = last_change();
        for (int i = 0; i < 10'100; ++i) {  // more than the revisions that are reserved ahead
            const auto outcome = write(i);
            BOOST_TEST_REQUIRE(outcome.has_error());
            BOOST_TEST_REQUIRE(outcome.error().code == errc::no_space);
        }
        const auto erased = erase(tenant_number(1), "a");
        BOOST_REQUIRE_MESSAGE(erased.has_value(), erased.error().message);
        BOOST_TEST(erased->status == write_status::committed);
        reopen();
        const auto after = erase(tenant_number(1), "b");
        BOOST_REQUIRE_MESSAGE(after.has_value(), after.error().message);
        BOOST_TEST(after->rev > erased->rev);
    }
    BOOST_TEST(changes_after(last).size() == 2U);
    must_save(make(tenant_number(1), "a"));
}

namespace {

/// A store on a disk of its own, which is filled to the last block or inode.
struct filled_disk : tree_fixture {
    test::scratch_folder place;
    std::optional<small_disk> disk;
    std::vector<image> kept;

    ~filled_disk() {
        if (durable()) close();
    }

    /// False where that is not permitted.
    bool mount(const char* limits) {
        disk.emplace(place.path(), limits);
        if (!disk->is_mounted()) {
            BOOST_TEST_MESSAGE("left out: mounting a small disk needs root");
            return false;
        }
        leave_unchecked();
        open_again();
        return true;
    }
    void open_again() {
        close();
        auto opened = open_store(place.path());
        BOOST_REQUIRE_MESSAGE(opened.has_value(), opened.error().message);
        take(std::move(*opened));
    }
    [[nodiscard]] fs::path ballast() const { return place.path() / "ballast"; }
    void fill_blocks() {
        std::ofstream file(ballast(), std::ios::binary);
        const std::string block(4096, 'b');
        while (file << block << std::flush)
            continue;
    }
    void fill_inodes() {
        fs::create_directory(ballast());
        for (int i = 0; std::ofstream(ballast() / std::to_string(i)); ++i)
            continue;
    }
    void prepare() {
        for (unsigned i = 0; i < 60; ++i) {
            kept.push_back(make(tenant_number(1), "k" + std::to_string(i), 2000, 100));
            must_save(kept.back());
            save_document({"user", "u" + std::to_string(i), R"({"enabled":true})", 0}).value();
            save_document({"session", "s" + std::to_string(i), "{}", 0}).value();
        }
    }
    void expect_refused(const image& what) {
        const auto outcome = save(what);
        BOOST_TEST_REQUIRE(outcome.has_error());
        BOOST_TEST(outcome.error().code == errc::no_space);
    }
    /// Rights are taken from @p count accounts, records of as many images change.
    void change_accounts(unsigned begin, unsigned count) {
        for (unsigned i = begin; i < begin + count; ++i) {
            BOOST_TEST_INFO_SCOPE("number " << i);
            const auto disabled = save_document({"user", "u" + std::to_string(i), R"({"enabled":false})", 0});
            BOOST_REQUIRE_MESSAGE(disabled.has_value(), disabled.error().message);
            const auto out =
                test::await(documents().erase("session", "s" + std::to_string(i), precondition::any()));
            BOOST_REQUIRE_MESSAGE(out.has_value(), out.error().message);
            BOOST_TEST(out->status == write_status::committed);
            auto renamed = *must_find(tenant_number(1), kept[i].record.key);
            renamed.title = "Renamed " + std::to_string(i);
            const auto updated = update(renamed);
            BOOST_REQUIRE_MESSAGE(updated.has_value(), updated.error().message);
            kept[i].record.title = renamed.title;
        }
    }
    void expect_changed(unsigned count) {
        for (unsigned i = 0; i < kept.size(); ++i) {
            expect_stored(kept[i]);
            const auto user = test::await(documents().find("user", "u" + std::to_string(i)));
            BOOST_TEST((user->body.find("false") != std::string::npos) == (i < count));
            BOOST_TEST(test::await(documents().find("session", "s" + std::to_string(i))).has_error() ==
                       (i < count));
        }
        BOOST_TEST((engine().writing() == write_state()));
    }
    void go_through() {
        expect_refused(make(tenant_number(1), "new", 100, 10));
        expect_refused(make(tenant_number(9), "new", 100, 10));
        expect_refused(with_bytes(kept[0], 5000, 10));
        change_accounts(0, 20);
        expect_changed(20);
        expect_sound();
        open_again();
        expect_changed(20);
        change_accounts(20, 20);
        expect_changed(40);
        open_again();
        expect_changed(40);
        for (unsigned i = 40; i < 60; ++i) {
            const auto outcome = erase(tenant_number(1), kept[i].record.key);
            BOOST_REQUIRE_MESSAGE(outcome.has_value(), outcome.error().message);
            BOOST_TEST(outcome->status == write_status::committed);
        }
        bool fits = false;
        for (int i = 0; i < 10'000 && !fits; ++i)  // the space is free soon after the erasure
            fits = save(make(tenant_number(1), "fits", 100, 10)).has_value();
        BOOST_TEST(fits);
        expect_sound();
    }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(without_a_free_block_rights_are_taken_away_and_a_start_serves_reads, filled_disk) {
    if (!mount("size=4m")) return;
    prepare();
    fill_blocks();
    go_through();
}

BOOST_FIXTURE_TEST_CASE(without_a_free_inode_rights_are_taken_away_and_a_start_serves_reads, filled_disk) {
    if (!mount("size=16m,nr_inodes=1000")) return;
    prepare();
    fill_inodes();
    go_through();
}

BOOST_FIXTURE_TEST_CASE(a_start_on_a_full_disk_sets_aside_what_is_damaged, filled_disk) {
    if (!mount("size=16m,nr_inodes=1000")) return;
    prepare();
    close();
    write(place.path() / to_string(tenant_number(1)) / "k0/record.json", "damaged");
    fill_inodes();
    open_again();
    expect_absent(kept[0]);
    expect_stored(kept[1]);
    BOOST_TEST(names_in(place.path() / ".gallery/set-aside").size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(documents_leave_a_part_of_the_reserve_to_erasures, filled_disk) {
    if (!mount("size=4m")) return;
    prepare();
    fill_blocks();
    // A logout is a new document.
    unsigned logouts = 0;
    while (save_document({"session", "new" + std::to_string(logouts), "{}", 0}))
        BOOST_TEST_REQUIRE(++logouts < 200U);
    BOOST_TEST(logouts >= 100U);
    const auto large = save_document({"user", "u0", std::string(5000, ' '), 0});
    BOOST_TEST_REQUIRE(large.has_error());
    BOOST_TEST(large.error().code == errc::no_space);
    for (const auto& one : kept)
        BOOST_TEST(erase(tenant_number(1), one.record.key)->status == write_status::committed);
    BOOST_TEST(save_document({"session", "last", "{}", 0}).has_value());
}

BOOST_FIXTURE_TEST_CASE(freed_space_fills_the_reserve_before_images_get_it, filled_disk) {
    if (!mount("size=4m")) return;
    prepare();
    fill_blocks();
    for (unsigned i = 0; i < 20; ++i)
        save_document({"session", "new" + std::to_string(i), "{}", 0}).value();
    fs::resize_file(ballast(), fs::file_size(ballast()) - 10 * 4096);
    expect_refused(make(tenant_number(1), "new", 100, 10));
    fs::remove(ballast());
    must_save(make(tenant_number(1), "new", 100, 10));
    BOOST_TEST(names_in(place.path() / ".gallery/reserve").size() == 256U);
}

BOOST_AUTO_TEST_SUITE_END()
