// A full disk: no_space, nothing changed, nothing left behind, and erasing helps.
#include "disk_fault.hpp"
#include "tree_fixture.hpp"

#include <sys/mount.h>
#include <sys/resource.h>
#include <cerrno>
#include <csignal>

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
    explicit small_disk(std::string path) : path_(std::move(path)) {
        is_mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=3m") == 0;
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
    const auto last = last_change();
    {
        const disk_fault no_new_file(disk_call::create, "", ENOSPC);
        for (int i = 0; i < 10'100; ++i) {  // more than the revisions that are reserved ahead
            const auto outcome = i % 2 == 0 ? update(*kept) : save_document({"user", "u", "{}", 0});
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

BOOST_AUTO_TEST_SUITE_END()
