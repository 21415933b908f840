// SPDX-License-Identifier: Apache-2.0
// A file that somebody writes to, with its time of modification put back, is not served from the cache.
#include "tree_fixture.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <array>

using namespace gallery;
using namespace gallery::contract;

namespace {

struct flipped_fixture : tree_fixture {
    image large = make(tenant_number(1), "large", 100'000);
    record_ptr record = must_save(large);

    void flip_a_byte() {
        leave_unchecked();
        const auto path = (tenant_folder(1) / "large/original.jpg").string();
        const int file = ::open(path.c_str(), O_RDWR);
        BOOST_TEST_REQUIRE(file >= 0);
        struct stat before {};
        ::fstat(file, &before);
        char byte = 0;
        BOOST_TEST(::pread(file, &byte, 1, 50'000) == 1);
        byte = static_cast<char>(byte ^ 1);
        BOOST_TEST(::pwrite(file, &byte, 1, 50'000) == 1);
        const std::array<timespec, 2> times{before.st_atim, before.st_mtim};
        BOOST_TEST(::futimens(file, times.data()) == 0);
        ::close(file);
    }
    void expect_damaged() {
        const auto got = read(record, representation::original);
        BOOST_TEST_REQUIRE(got.has_error());
        BOOST_TEST(got.error().code == errc::corrupt);
    }
    double open_files() {
        for (const auto& one : engine().statistics())
            if (one.name == "body_cache_open_files") return one.value;
        return -1;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(flipped, flipped_fixture)

BOOST_AUTO_TEST_CASE(a_byte_flipped_in_a_cached_file_is_found) {
    while (open_files() < 1)  // not in the moment after the file was written
        BOOST_TEST_REQUIRE(read(record, representation::original).has_value());
    flip_a_byte();
    BOOST_TEST(!store().read_now(*record, representation::original).has_value());
    expect_damaged();
}

BOOST_AUTO_TEST_CASE(a_byte_flipped_in_the_moment_after_the_file_was_written_is_found) {
    for (int i = 0; i < 20; ++i) {
        large = with_bytes(large, 100'000, 10);
        record = must_save(large);
        BOOST_TEST_REQUIRE(read(record, representation::original).has_value());
        flip_a_byte();
        expect_damaged();
    }
}

BOOST_AUTO_TEST_SUITE_END()
