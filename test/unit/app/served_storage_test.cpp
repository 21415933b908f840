// SPDX-License-Identifier: Apache-2.0
// The caches of the store that is served, and of the one that follows it.
#include "app/served_storage.hpp"

#include "app/mirror_target.hpp"
#include "boost_test.hpp"
#include "plugins/forwarding_engine.hpp"
#include "scratch_folder.hpp"

#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

namespace gallery::app {

namespace {

namespace fs = std::filesystem;
using values = std::map<std::string, std::string>;

std::string plugin_dir() {
    const auto* build = std::getenv("GALLERY_BUILD");
    return (fs::path(build != nullptr ? build : "build/release") / "lib/gallery/plugins").string();
}

/// Notes the options that it is given.
class noting_engine final : public plugins::forwarding_engine {
public:
    noting_engine(std::unique_ptr<storage_engine> inner, values& given)
        : forwarding_engine(*inner), inner_(std::move(inner)), given_(given) {}
    void change_options(const values& options) override {
        given_ = options;
        forwarding_engine::change_options(options);
    }

private:
    std::unique_ptr<storage_engine> inner_;
    values& given_;
};

mirror::known_store place_of(const fs::path& folder, values options) {
    return {{"filesystem", folder.string(), std::move(options)}, "filesystem", {}};
}

std::unique_ptr<storage_engine> open(const mirror::known_store& place, values& given) {
    constexpr bool may_create = true;
    auto opened = open_mirror_target(plugin_dir(), place.address.path + "-data", place.address, may_create,
                                     std::nullopt, [](log_level, std::string_view) {});
    BOOST_REQUIRE(opened.has_value());
    return std::make_unique<noting_engine>(std::move(*opened), given);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(served_storages)

BOOST_AUTO_TEST_CASE(only_the_store_that_is_served_has_caches) {
    const gallery::test::scratch_folder scratch;
    const auto first_place = place_of(scratch.path() / "first", {{"cache_bytes", "3M"}});
    const auto second_place = place_of(scratch.path() / "second", {{"open_files", "7"}, {"threads", "2"}});
    values first;
    values second;
    plugins::measured_engine engine(open(first_place, first), "filesystem");
    cache::freshness fresh;
    store_sharing sharing(false, fresh, plugin_dir(), "this server");
    served_storage served(engine, first_place, plugin_dir(), sharing);

    const auto before = served.exchange(open(second_place, second), second_place);
    served.move_caches(*before, first_place);
    BOOST_TEST(first["cache_bytes"] == "0");
    BOOST_TEST(first["open_files"] == "0");
    BOOST_TEST(first["threads"] == "16");
    BOOST_TEST(second["cache_bytes"] == "67108864");
    BOOST_TEST(second["open_files"] == "7");
    BOOST_TEST(second["threads"] == "2");

    served.note_options({{"open_files", "9"}, {"threads", "2"}});
    BOOST_TEST(served.where().address.options["open_files"] == "9");
    const auto again = served.exchange(before, first_place);
    served.move_caches(*again, second_place);
    BOOST_TEST(first["cache_bytes"] == "3145728");
    BOOST_TEST(first["open_files"] == "512");
    BOOST_TEST(second["cache_bytes"] == "0");
    BOOST_TEST(second["open_files"] == "0");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::app
