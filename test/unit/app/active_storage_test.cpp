// SPDX-License-Identifier: Apache-2.0
// Which store a server opens after a switch.
#include "app/active_storage.hpp"

#include "app/open_storage.hpp"
#include "mirror/identity.hpp"
#include "mirror/superseded.hpp"

#include "await.hpp"
#include "boost_test.hpp"
#include "scratch_folder.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace gallery::app {

namespace {

namespace fs = std::filesystem;
using gallery::test::await;

class data_folder {
public:
    data_folder() {
        const auto* build = std::getenv("GALLERY_BUILD");
        configured.plugin_dir =
            fs::canonical(fs::path(build != nullptr ? build : "build/release") / "lib/gallery/plugins")
                .string();
        configured.plugin = "memory";
        configured.sections["filesystem"]["threads"] = "5";
        fs::create_directories(fs::path(path) / "filesystem");
        fs::permissions(fs::path(path) / "filesystem", fs::perms::owner_all);
    }
    /// As a switch to the folder does; its engine has the option threads=3.
    void decide(const std::string& folder, const std::string& identity = "an identity") const {
        mirror::active_store decided;
        decided.now = {{"filesystem", path + "/" + folder, {{"threads", "3"}}}, "filesystem", identity};
        decided.before = {{"memory", path + "/memory", {}}, "memory", "another identity"};
        decided.since = 1'764'448'000'000;
        BOOST_REQUIRE(mirror::write_active_store(file(), decided).has_value());
    }
    [[nodiscard]] std::string file() const { return path + "/" + mirror::active_store_file; }
    [[nodiscard]] active_storage find() const { return find_active_storage(configured, path).value(); }

private:
    gallery::test::scratch_folder scratch_;

public:
    const std::string path = fs::canonical(scratch_.path()).string();
    config::storage_settings configured;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(active_storages)

BOOST_AUTO_TEST_CASE(without_a_switch_the_configuration_decides) {
    const data_folder in;
    const auto found = in.find();
    BOOST_TEST(!found.decided.has_value());
    BOOST_TEST(found.settings.plugin == "memory");
    BOOST_TEST(found.note().empty());
    BOOST_TEST(found.require_store().has_value());
}

BOOST_AUTO_TEST_CASE(a_switch_wins_over_the_configuration) {
    const data_folder in;
    std::ofstream(in.path + "/filesystem/something") << "a store";
    in.decide("filesystem");
    const auto found = in.find();
    BOOST_TEST(found.settings.plugin == "filesystem");
    BOOST_TEST(found.settings.path == in.path + "/filesystem");
    BOOST_TEST(found.settings.sections.at("filesystem").at("threads") == "3");
    BOOST_TEST(found.settings.plugin_dir == in.configured.plugin_dir);
    BOOST_TEST(found.require_store().has_value());
    for (const char* word : {"2025-11-29", "active-store.json", "STORAGE_PLUGIN=memory", "reinstate"})
        BOOST_TEST(found.note().find(word) != std::string::npos, found.note());
}

BOOST_AUTO_TEST_CASE(a_configuration_that_names_the_same_store_has_its_own_options) {
    data_folder in;
    in.decide("filesystem");
    in.configured.plugin = "filesystem";
    BOOST_TEST(in.find().note().empty());
    BOOST_TEST(in.find().settings.sections.at("filesystem").at("threads") == "5");
    in.configured.path = in.path + "/./filesystem/";
    BOOST_TEST(in.find().note().empty());
    // Also if it is the absolute path of the plugin.
    in.configured.plugin = in.configured.plugin_dir + "/filesystem.so";
    BOOST_TEST(in.find().note().empty());
    in.configured.path = in.path + "/other";
    BOOST_TEST(!in.find().note().empty());
    in.configured.plugin = "no-such-plugin";
    BOOST_TEST(!in.find().note().empty());
}

BOOST_AUTO_TEST_CASE(an_empty_or_missing_folder_is_not_the_store) {
    const data_folder in;
    for (const char* folder : {"filesystem", "missing"}) {
        in.decide(folder);
        const auto there = in.find().require_store();
        BOOST_REQUIRE(there.has_error());
        BOOST_TEST(bool(there.error().code == errc::not_found));
        for (const char* word : {folder, "Mount its disk", "reinstate"})
            BOOST_TEST(there.error().message.find(word) != std::string::npos, there.error().message);
    }
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_read_is_an_error) {
    const data_folder in;
    std::ofstream(in.file()) << "{}";
    BOOST_TEST(bool(find_active_storage(in.configured, in.path).error().code == errc::corrupt));
}

BOOST_AUTO_TEST_CASE(only_the_store_that_was_switched_to_is_used) {
    const data_folder in;
    auto opened = open_unprobed(in.configured, in.path, true, [](log_level, std::string_view) {});
    BOOST_REQUIRE(opened.has_value());
    auto& documents = opened->store->documents();
    const auto identity = await(mirror::ensure_identity(documents)).value();

    // A store that another one has taken the place of is refused, with where the data is.
    const mirror::successor by{"filesystem", "/srv/images", "an identity", 1'764'448'000'000};
    BOOST_REQUIRE(await(mirror::note_successor(documents, by)).has_value());
    const auto refused = await(check_active_storage(documents, in.find(), "own"));
    BOOST_REQUIRE(refused.has_error());
    for (const char* word : {"filesystem:/srv/images", "2025-11-29", "reinstate"})
        BOOST_TEST(refused.error().message.find(word) != std::string::npos, refused.error().message);

    // Another store than the one of the switch, too.
    in.decide("memory");
    const auto another = await(check_active_storage(documents, in.find(), "own"));
    BOOST_REQUIRE(another.has_error());
    BOOST_TEST(another.error().message.find("is another one") != std::string::npos, another.error().message);

    // The decision is above the document, which an interrupted switch has left.
    in.decide("memory", identity);
    BOOST_TEST(await(check_active_storage(documents, in.find(), "own")).has_value());
    BOOST_TEST(!await(mirror::find_successor(documents)).value().has_value());
    fs::remove(in.file());
    BOOST_TEST(await(check_active_storage(documents, in.find(), "own")).has_value());
}

BOOST_AUTO_TEST_CASE(a_store_without_a_folder_is_where_its_options_say) {
    data_folder in;
    mirror::active_store decided;
    decided.now = {
        {"postgresql", "", {{"dsn", "host=db1"}, {"schema", "gallery"}}}, "postgresql", "an identity"};
    decided.before = {{"memory", in.path + "/memory", {}}, "memory", "another identity"};
    BOOST_REQUIRE(mirror::write_active_store(in.file(), decided).has_value());
    in.configured.path = "/srv/other";
    const auto found = in.find();
    BOOST_TEST(found.settings.plugin == "postgresql");
    BOOST_TEST(found.settings.path.empty());  // then this server has a folder of its own in the data folder
    BOOST_TEST(found.settings.sections.at("postgresql").at("dsn") == "host=db1");
    BOOST_TEST(found.require_store().has_value());
    BOOST_TEST(found.note().find("STORAGE_PLUGIN=memory") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_an_interrupted_switch_of_another_server_has_left_keeps_this_one_away) {
    const data_folder in;
    auto opened = open_unprobed(in.configured, in.path, true, [](log_level, std::string_view) {});
    BOOST_REQUIRE(opened.has_value());
    auto& documents = opened->store->documents();
    const auto claim = [&documents](const std::string& node) {
        const mirror::successor by{"rocksdb", "/srv/images", "an identity", 1'764'448'000'000, node};
        BOOST_REQUIRE(await(mirror::note_successor(documents, by)).has_value());
    };
    claim("another");
    const auto refused = await(check_active_storage(documents, in.find(), "own"));
    BOOST_REQUIRE(refused.has_error());
    for (const char* word : {"another", "was interrupted", "rocksdb:/srv/images", "reinstate"})
        BOOST_TEST(refused.error().message.find(word) != std::string::npos, refused.error().message);
    BOOST_TEST(await(mirror::find_successor(documents)).value().has_value());
    // Its own, which was not decided, says nothing.
    claim("own");
    BOOST_TEST(await(check_active_storage(documents, in.find(), "own")).has_value());
    BOOST_TEST(!await(mirror::find_successor(documents)).value().has_value());
}

BOOST_AUTO_TEST_CASE(an_own_claim_of_a_store_that_was_left_before_does_not_make_it_the_current_one) {
    const data_folder in;
    auto opened = open_unprobed(in.configured, in.path, true, [](log_level, std::string_view) {});
    BOOST_REQUIRE(opened.has_value());
    auto& documents = opened->store->documents();
    const mirror::successor left_for{"rocksdb", "/srv/images", "an identity", 1'764'448'000'000};
    BOOST_REQUIRE(await(mirror::note_successor(documents, left_for)));
    const mirror::successor claim{"memory", "", "own identity", 1'764'448'000'001, "own"};
    BOOST_REQUIRE(await(mirror::claim_store(documents, claim, true)));
    const auto refused = await(check_active_storage(documents, in.find(), "own"));
    BOOST_REQUIRE(refused.has_error());
    for (const char* word : {"not the current one", "rocksdb:/srv/images"})
        BOOST_TEST(refused.error().message.find(word) != std::string::npos, refused.error().message);
    BOOST_TEST((await(mirror::find_successor(documents)).value() == left_for));
}

BOOST_AUTO_TEST_CASE(another_server_can_have_left_the_shared_store_that_this_one_was_switched_to) {
    const data_folder in;
    auto opened = open_unprobed(in.configured, in.path, true, [](log_level, std::string_view) {});
    BOOST_REQUIRE(opened.has_value());
    auto& documents = opened->store->documents();
    active_storage chosen;
    chosen.decided.emplace();
    chosen.decided->now = {{"postgresql", "", {{"dsn", "host=db1"}}}, "postgresql", {}};
    chosen.decided->now.identity = await(mirror::ensure_identity(documents)).value();
    chosen.decided->before = {{"rocksdb", "/srv/own", {}}, "rocksdb", "the store before"};
    BOOST_REQUIRE(await(mirror::note_successor(documents, {"rocksdb", "/srv/theirs", "of another", 5})));
    const auto refused = await(check_active_storage(documents, chosen, "own"));
    BOOST_REQUIRE(refused.has_error());
    BOOST_TEST(refused.error().message.find("rocksdb:/srv/theirs") != std::string::npos);
    // Also to the store that this server had left.
    BOOST_REQUIRE(await(mirror::note_successor(documents, {"rocksdb", "/srv/own", "the store before", 5})));
    BOOST_TEST(await(check_active_storage(documents, chosen, "own")).has_error());
    BOOST_TEST(await(mirror::find_successor(documents)).value().has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::app
