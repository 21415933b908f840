// SPDX-License-Identifier: Apache-2.0
// The file that contains which mirror a server has.
#include "mirror/state_file.hpp"

#include "boost_test.hpp"
#include "scratch_folder.hpp"

#include <filesystem>
#include <fstream>
#include <string>

#include <sys/stat.h>

namespace gallery::mirror::test {

BOOST_AUTO_TEST_SUITE(state_files)

BOOST_AUTO_TEST_CASE(a_file_is_read_as_it_was_written_and_only_its_owner_can_read_it) {
    const gallery::test::scratch_folder folder;
    const auto path = (folder.path() / "mirror.json").string();
    BOOST_TEST(!read_state_file(path).value().has_value());
    saved_mirror running{{"postgresql", "/srv/\xc3\xa4", {{"dsn", "password=\"a\nb"}}},
                         true,
                         true,
                         true,
                         true,
                         "",
                         {},
                         "a run",
                         5,
                         "an identity"};
    saved_mirror ended = running;
    ended.is_running = ended.is_backup = ended.verifies = ended.skips_damaged = false;
    ended.problem = "the disk is full";
    ended.completed = completion{7, 6, 5, 4, 3, 1'700'000'000'000};
    for (const auto& value : {running, ended, saved_mirror()}) {
        BOOST_REQUIRE(write_state_file(path, value).has_value());
        BOOST_TEST(bool(read_state_file(path).value() == value));
        struct stat status {};
        BOOST_REQUIRE(::stat(path.c_str(), &status) == 0);
        BOOST_TEST((status.st_mode & 0777U) == 0600U);
        BOOST_TEST(!std::filesystem::exists(path + ".new"));
    }
    BOOST_TEST(remove_state_file(path).has_value());
    BOOST_TEST(remove_state_file(path).has_value());
    BOOST_TEST(!read_state_file(path).value().has_value());
}

BOOST_AUTO_TEST_CASE(a_file_that_a_crash_left_behind_does_no_harm) {
    const gallery::test::scratch_folder folder;
    const auto path = (folder.path() / "mirror.json").string();
    std::ofstream(path + ".new") << "half";
    BOOST_TEST(write_state_file(path, saved_mirror()).has_value());
    BOOST_TEST(read_state_file(path).value().has_value());
}

BOOST_AUTO_TEST_CASE(another_content_is_an_error_with_the_remedy) {
    const gallery::test::scratch_folder folder;
    const auto path = (folder.path() / "mirror.json").string();
    for (const char* text :
         {"", "{}", R"({"engine":"a","path":"b","options":{"c":1},"running":true})",
          R"({"engine":"a","path":"b","options":{}})",
          R"({"engine":"a","path":"b","options":{},"running":true,"completed":{"images":1}})"}) {
        std::ofstream(path, std::ios::trunc) << text;
        const auto read = read_state_file(path);
        BOOST_REQUIRE_MESSAGE(read.has_error(), text);
        BOOST_TEST(bool(read.error().code == errc::corrupt));
        BOOST_TEST(read.error().message.find(path) != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_folder_that_is_not_there_is_an_error) {
    BOOST_TEST(bool(write_state_file("/nowhere/mirror.json", {}).error().code == errc::io_error));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::mirror::test
