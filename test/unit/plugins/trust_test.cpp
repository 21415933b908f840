// SPDX-License-Identifier: Apache-2.0
// Whoever can write a plugin runs code in the server, so what others can write is refused.
#include "plugins/trust.hpp"
#include "boost_test.hpp"
#include "plugins.hpp"
#include "plugins/host.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

namespace gallery::plugins::test {

namespace {

namespace fs = std::filesystem;

struct trust_fixture {
    trust_fixture() {
        fs::create_directory(folder);
        set_mode(folder, 0755);
        std::ofstream(file) << "no plugin, which nobody finds out here";
        set_mode(file, 0644);
    }

    static void set_mode(const fs::path& path, unsigned mode) {
        BOOST_TEST_REQUIRE(::chmod(path.c_str(), static_cast<mode_t>(mode)) == 0);
    }

    /// Refused, with the path, what was found, and what helps.
    static void expect_refused(const fs::path& asked, const fs::path& culprit, const std::string& found) {
        const auto trusted = trusted_file(asked.string());
        BOOST_TEST_REQUIRE(trusted.has_error());
        BOOST_TEST((trusted.error().code == errc::permission_denied));
        const auto& said = trusted.error().message;
        BOOST_TEST(contains(said, culprit.string()), said);
        BOOST_TEST(contains(said, found), said);
        BOOST_TEST(contains(said, "expected"), said);
        BOOST_TEST(contains(said, "Run: ch"), said);
        // The host asks before it loads: what is in the file would be another error.
        const auto loaded = load_plugin(asked.string(), "");
        BOOST_TEST((loaded.has_error() && loaded.error().code == errc::permission_denied));
    }

    plugin_folder scratch;
    fs::path above = scratch.path();
    fs::path folder = above / "plugins";
    fs::path file = folder / "engine.so";
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(trust, trust_fixture)

BOOST_AUTO_TEST_CASE(a_file_that_only_its_owner_can_write_is_trusted) {
    const auto trusted = trusted_file(file.string());
    BOOST_TEST_REQUIRE(trusted.has_value());
    BOOST_TEST(*trusted == file.string());
}

BOOST_AUTO_TEST_CASE(a_file_that_others_can_write_is_refused) {
    set_mode(file, 0646);
    expect_refused(file, file, "0646");
}

BOOST_AUTO_TEST_CASE(a_file_that_its_group_can_write_is_refused) {
    set_mode(file, 0664);
    expect_refused(file, file, "0664");
}

BOOST_AUTO_TEST_CASE(a_folder_that_others_can_write_is_refused) {
    set_mode(folder, 0777);
    expect_refused(file, folder, "0777");
}

BOOST_AUTO_TEST_CASE(a_sticky_folder_that_others_can_write_is_no_folder_for_plugins) {
    set_mode(folder, 01777);
    expect_refused(file, folder, "1777");
}

BOOST_AUTO_TEST_CASE(a_folder_above_that_others_can_write_is_refused) {
    set_mode(above, 0775);
    expect_refused(file, above, "0775");
}

BOOST_AUTO_TEST_CASE(a_link_is_judged_by_what_it_leads_to) {
    const auto link = above / "link.so";
    fs::create_symlink(file, link);
    const auto trusted = trusted_file(link.string());
    BOOST_TEST_REQUIRE(trusted.has_value());
    BOOST_TEST(*trusted == file.string());
    set_mode(folder, 0777);
    expect_refused(link, folder, "0777");
}

BOOST_AUTO_TEST_CASE(files_and_folders_of_other_users_are_refused) {
    if (::geteuid() != 0) {
        BOOST_TEST_MESSAGE("skipped: only root can give a file to another user");
        return;
    }
    constexpr uid_t other = 65533;
    BOOST_TEST_REQUIRE(::chown(file.c_str(), other, other) == 0);
    expect_refused(file, file, "65533");
    BOOST_TEST_REQUIRE(::chown(file.c_str(), 0, 0) == 0);
    BOOST_TEST_REQUIRE(::chown(folder.c_str(), other, other) == 0);
    expect_refused(file, folder, "65533");
}

BOOST_AUTO_TEST_CASE(what_is_missing_or_no_file_is_said_to_be_so) {
    const auto missing = trusted_file((folder / "nothing.so").string());
    BOOST_TEST((missing.has_error() && missing.error().code == errc::not_found));
    const auto no_file = trusted_file(folder.string());
    BOOST_TEST((no_file.has_error() && no_file.error().code == errc::invalid_argument));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::plugins::test
