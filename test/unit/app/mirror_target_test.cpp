// SPDX-License-Identifier: Apache-2.0
// Where the mirror of a server may be.
#include "app/mirror_target.hpp"

#include "boost_test.hpp"
#include "plugins/plugins.hpp"
#include "scratch_folder.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::app {

namespace {

namespace fs = std::filesystem;

class folders {
public:
    folders() {
        fs::create_directories(data / "rocksdb");
        fs::create_directories(root / "backup");
        fs::create_directories(root / "elsewhere");
    }
    [[nodiscard]] result<mirror::target_address> check(const std::string& path,
                                                       const std::string& allowed = {}) const {
        const mirror_rules rules{allowed, data.string(), (data / "rocksdb").string()};
        return check_mirror_target(rules, {"filesystem", path, {}});
    }
    [[nodiscard]] bool allows(const fs::path& path, const std::string& allowed = {}) const {
        return check(path.string(), allowed).has_value();
    }

private:
    gallery::test::scratch_folder scratch_;

public:
    const fs::path root = fs::canonical(scratch_.path());
    const fs::path data = root / "data";
};

}  // namespace

BOOST_AUTO_TEST_SUITE(mirror_targets)

BOOST_AUTO_TEST_CASE(without_a_setting_only_folders_below_the_data_folder_are_allowed) {
    const folders in;
    BOOST_TEST(in.check("mirror").value().path == (in.data / "mirror").string());
    fs::create_directory(in.data / "mirrors");
    BOOST_TEST(in.allows(in.data / "mirrors/one"));
    BOOST_TEST(!in.allows(in.data));
    BOOST_TEST(!in.allows(in.root / "elsewhere"));
    BOOST_TEST(!in.allows(in.root / "data2/mirror"));
    BOOST_TEST(!in.allows("../elsewhere"));
    BOOST_TEST(!in.allows("/etc"));
    BOOST_TEST(!in.allows("/"));
}

BOOST_AUTO_TEST_CASE(the_setting_names_the_allowed_folders) {
    const folders in;
    const auto allowed = (in.root / "backup").string() + ":" + (in.root / "elsewhere").string();
    BOOST_TEST(in.allows(in.root / "backup/gallery", allowed));
    BOOST_TEST(in.allows(in.root / "elsewhere/a", allowed));
    BOOST_TEST(!in.allows(in.root / "backup", allowed));
    BOOST_TEST(!in.allows(in.data / "mirror", allowed));
    BOOST_TEST(!in.allows(in.root / "backup/../a", allowed));
}

BOOST_AUTO_TEST_CASE(symbolic_links_do_not_lead_out_of_the_allowed_folders) {
    const folders in;
    fs::create_directory_symlink(in.root / "elsewhere", in.data / "link");
    BOOST_TEST(!in.allows(in.data / "link/mirror"));
    BOOST_TEST(!in.allows(in.data / "link"));
}

BOOST_AUTO_TEST_CASE(the_folder_above_must_exist) {
    const folders in;
    const auto checked = in.check("disk/mirror");
    BOOST_REQUIRE(checked.has_error());
    BOOST_TEST(checked.error().message.find("mount") != std::string::npos);
    BOOST_TEST(!fs::exists(in.data / "disk"));
}

BOOST_AUTO_TEST_CASE(a_folder_that_contains_the_data_folder_is_no_mirror) {
    const folders in;
    const auto allowed = in.root.parent_path().string();
    BOOST_TEST(!in.allows(in.root, allowed));
    BOOST_TEST(!in.allows(in.data, allowed));
    BOOST_TEST(in.allows(in.data / "mirror", allowed));
}

BOOST_AUTO_TEST_CASE(the_servers_own_store_is_no_mirror) {
    const folders in;
    for (const char* path : {"rocksdb", "rocksdb/mirror", "rocksdb/../rocksdb/"})
        BOOST_TEST(!in.allows(path), path);
    BOOST_TEST(in.allows("rocksdb2"));
}

BOOST_AUTO_TEST_CASE(an_engine_is_selected_by_name_and_never_by_a_path) {
    const folders in;
    const mirror_rules rules{"", in.data.string(), (in.data / "rocksdb").string()};
    for (const char* engine : {"/tmp/evil", "../evil", "evil.so", "a b"}) {
        const auto checked = check_mirror_target(rules, {engine, "mirror", {}});
        BOOST_REQUIRE_MESSAGE(checked.has_error(), engine);
        BOOST_TEST(bool(checked.error().code == errc::invalid_argument));
    }
}

BOOST_AUTO_TEST_CASE(an_engine_that_does_not_confine_itself_is_no_mirror) {
    const folders in;
    plugins::test::plugin_folder plugins;
    plugins.add("test-plugins", "switchable");
    const auto place = in.root / "backup/gallery";
    const auto refused =
        open_mirror_target(plugins.path().string(), in.root.string(), {"switchable", place.string(), {}},
                           true, confinement{}, [](log_level, std::string_view) {});
    BOOST_REQUIRE(refused.has_error());
    BOOST_TEST(bool(refused.error().code == errc::invalid_argument));
    BOOST_TEST(refused.error().message.find("does not confine itself") != std::string::npos);
    BOOST_TEST(!fs::exists(place));
}

BOOST_AUTO_TEST_CASE(only_folders_of_forgotten_mirrors_are_removed) {
    const folders in;
    const auto all = in.data / mirror_folders;
    BOOST_TEST(clean_mirror_folders(in.data.string(), {}).has_value());  // there are none
    for (const char* name :
         {"0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcde", "other"}) {
        fs::create_directories(all / name);
        std::ofstream(all / name / "root-certificates.pem") << "certificates";
    }
    BOOST_TEST(clean_mirror_folders(in.data.string(), {}).has_value());
    BOOST_TEST(!fs::exists(all / "0123456789abcdef0123456789abcdef"));
    BOOST_TEST(fs::exists(all / "0123456789abcdef0123456789abcde"));
    BOOST_TEST(fs::exists(all / "other"));
    // So that no store of somebody is below it.
    BOOST_TEST(!in.allows(all / "0123456789abcdef0123456789abcdef"));
}

BOOST_AUTO_TEST_CASE(hosts_are_separated_by_commas) {
    const std::vector<std::string> expected{"db.example", "10.0.0.1:5433", "[::1]:5432", "/run/postgresql"};
    BOOST_TEST(
        (mirror_confinement("db.example, 10.0.0.1:5433,,[::1]:5432,/run/postgresql").hosts == expected));
    BOOST_TEST(mirror_confinement("").hosts.empty());
}

BOOST_AUTO_TEST_CASE(a_folder_without_a_store_is_opened_only_by_a_command) {
    const folders in;
    const auto* build = std::getenv("GALLERY_BUILD");
    const auto plugins = fs::path(build != nullptr ? build : "build/release") / "lib/gallery/plugins";
    const auto open = [&plugins, &in](const fs::path& path, bool may_create) {
        return open_mirror_target(plugins.string(), in.root.string(), {"filesystem", path.string(), {}},
                                  may_create, confinement{}, [](log_level, std::string_view) {});
    };
    const auto place = in.root / "backup/gallery";
    const auto refused = open(place, false);
    BOOST_REQUIRE(refused.has_error());
    BOOST_TEST(bool(refused.error().code == errc::not_found));
    BOOST_TEST(!fs::exists(place));
    fs::create_directory(place);  // as an empty folder on which nothing is mounted
    fs::permissions(place, fs::perms::owner_all);
    BOOST_TEST(open(place, false).has_error());
    BOOST_TEST(fs::is_empty(place));
    BOOST_REQUIRE(open(place, true).has_value());
    BOOST_TEST(open(place, false).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::app
