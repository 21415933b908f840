// SPDX-License-Identifier: Apache-2.0
// Small files: read, replaced and removed as a whole.
#include <gallery/files.hpp>

#include "boost_test.hpp"
#include "scratch_folder.hpp"

#include <filesystem>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

namespace fs = std::filesystem;
using namespace gallery;

namespace {

struct folder_of_files {
    test::scratch_folder folder;
    std::string path = folder.path() / "file";
    std::string temporary = folder.path() / "file.new";

    [[nodiscard]] auto replace(std::string_view content, unsigned mode = 0600) const {
        return replace_file(path, temporary, content, mode);
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(small_files, folder_of_files)

BOOST_AUTO_TEST_CASE(a_file_is_read_as_it_was_written) {
    std::string large(300'000, 'x');
    large[123'456] = '\0';
    for (const std::string& content : {std::string(), std::string("short"), large}) {
        BOOST_TEST_REQUIRE(replace(content).has_value());
        BOOST_TEST((read_file(path).value() == content));
        BOOST_TEST(!fs::exists(temporary));
    }
}

BOOST_AUTO_TEST_CASE(only_the_given_permissions_are_set) {
    BOOST_TEST_REQUIRE(replace("first", 0600).has_value());
    struct stat about {};
    BOOST_TEST_REQUIRE(::stat(path.c_str(), &about) == 0);
    BOOST_TEST((about.st_mode & 0777U) == 0600U);
}

BOOST_AUTO_TEST_CASE(a_link_is_replaced_and_not_followed) {
    const std::string target = folder.path() / "target";
    BOOST_TEST_REQUIRE(replace_file(target, temporary, "old", 0600).has_value());
    fs::create_symlink("target", path);
    BOOST_TEST(read_file(path).value() == "old");
    BOOST_TEST(replace("new").has_value());
    BOOST_TEST(read_file(target).value() == "old");
    BOOST_TEST(read_file(path).value() == "new");
}

BOOST_AUTO_TEST_CASE(a_temporary_file_of_an_interrupted_call_is_no_obstacle) {
    const std::string elsewhere = folder.path() / "elsewhere";
    fs::create_symlink(elsewhere, temporary);
    BOOST_TEST(replace("new").has_value());
    BOOST_TEST(read_file(path).value() == "new");
    BOOST_TEST(!fs::exists(elsewhere));
}

BOOST_AUTO_TEST_CASE(a_failure_leaves_the_file_as_it_was_and_no_other) {
    fs::create_directory(path);
    const auto replaced = replace("new");
    BOOST_TEST_REQUIRE(replaced.has_error());
    BOOST_TEST((replaced.error().code == errc::io_error));
    BOOST_TEST(replaced.error().message == "cannot replace '" + path + "': Is a directory");
    BOOST_TEST(fs::is_directory(path));
    BOOST_TEST(!fs::exists(temporary));

    const std::string missing = folder.path() / "missing" / "file";
    BOOST_TEST((replace_file(missing, missing + ".new", "new", 0600).error().code == errc::io_error));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_read_is_named) {
    const auto missing = read_file(path);
    BOOST_TEST((missing.error().code == errc::not_found));
    BOOST_TEST(missing.error().message == "cannot read '" + path + "': No such file or directory");
    BOOST_TEST((read_file(folder.path()).error().code == errc::io_error));
    BOOST_TEST_REQUIRE(replace("12345").has_value());
    BOOST_TEST((read_file(path, 4).error().code == errc::too_large));
    BOOST_TEST(read_file(path, 5).value() == "12345");
}

// Secrets are often given as <(command), which is a pipe, and files of the kernel have no size.
BOOST_AUTO_TEST_CASE(files_without_a_size_are_read_to_their_end) {
    int ends[2];
    BOOST_TEST_REQUIRE(::pipe(ends) == 0);
    const std::string sent(10'000, 's');
    BOOST_TEST(write_all(ends[1], sent));
    ::close(ends[1]);
    BOOST_TEST((read_all(ends[0], 10'000) == sent));
    ::close(ends[0]);
    BOOST_TEST(!read_file("/proc/self/status").value().empty());
}

BOOST_AUTO_TEST_CASE(a_file_is_removed_once) {
    BOOST_TEST_REQUIRE(replace("new").has_value());
    BOOST_TEST(remove_file(path).has_value());
    BOOST_TEST(!fs::exists(path));
    BOOST_TEST(remove_file(path).has_value());
    BOOST_TEST(remove_file(folder.path() / "missing" / "file").has_value());
    fs::create_directory(path);
    BOOST_TEST((remove_file(path).error().code == errc::io_error));
}

BOOST_AUTO_TEST_SUITE_END()
