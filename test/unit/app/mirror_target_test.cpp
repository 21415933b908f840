// SPDX-License-Identifier: Apache-2.0
// Where the mirror of a server may be.
#include "app/mirror_target.hpp"

#include "boost_test.hpp"
#include "scratch_folder.hpp"

#include <filesystem>
#include <string>

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
    const auto allowed = (in.root / "backup").string() + ":/nowhere/else";
    BOOST_TEST(in.allows(in.root / "backup/gallery", allowed));
    BOOST_TEST(in.allows("/nowhere/else/a", allowed));
    BOOST_TEST(!in.allows(in.root / "backup", allowed));
    BOOST_TEST(!in.allows(in.data / "mirror", allowed));
    BOOST_TEST(!in.allows(in.root / "backup/../elsewhere/a", allowed));
}

BOOST_AUTO_TEST_CASE(symbolic_links_do_not_lead_out_of_the_allowed_folders) {
    const folders in;
    fs::create_directory_symlink(in.root / "elsewhere", in.data / "link");
    BOOST_TEST(!in.allows(in.data / "link/mirror"));
    BOOST_TEST(!in.allows(in.data / "link"));
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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::app
