// SPDX-License-Identifier: Apache-2.0
// Finding, checking and opening plugins: what does not fit is refused by name, with both values, before it
// can do harm.
#include "plugins/host.hpp"

#include "boost_test.hpp"
#include "plugins.hpp"

#include <vector>

namespace gallery::plugins::test {

namespace {

struct refusal {
    const char* plugin;
    std::vector<std::string> words;  ///< that the message has besides the file
};

std::string of_contract(std::uint32_t version) {
    return "is " + std::to_string(version);
}

result<std::unique_ptr<storage_engine>> open(const std::string& file,
                                             std::map<std::string, std::string> options = {}) {
    const auto loaded = load_plugin(file, "");
    BOOST_REQUIRE_MESSAGE(loaded.has_value(), loaded.error().message);
    plugin_context context;
    context.path = "/nowhere";
    context.options = std::move(options);
    context.log = [](log_level, std::string_view) {};
    return open_store(*loaded, std::move(context));
}

result<std::unique_ptr<storage_engine>> never_called(const plugin_context& /*context*/) noexcept {
    return error{};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(host)

BOOST_AUTO_TEST_CASE(a_plugin_is_found_by_its_name_or_by_its_path) {
    plugin_folder folder;
    const auto file = folder.add("plugins", "memory");
    for (const auto& asked : {std::string("memory"), file}) {
        const auto loaded = load_plugin(asked, folder.path().string());
        BOOST_REQUIRE_MESSAGE(loaded.has_value(), loaded.error().message);
        BOOST_TEST(loaded->file == file);
        BOOST_TEST(std::string(loaded->descriptor->name) == "memory");
    }
}

BOOST_AUTO_TEST_CASE(an_unknown_name_is_answered_with_the_names_that_there_are) {
    plugin_folder folder;
    folder.add("plugins", "memory");
    const auto loaded = load_plugin("rocksbd", folder.path().string());
    BOOST_TEST_REQUIRE(loaded.has_error());
    BOOST_TEST((loaded.error().code == errc::not_found));
    for (const auto& word : {std::string("rocksbd"), std::string("memory"), folder.path().string()})
        BOOST_TEST(contains(loaded.error().message, word), loaded.error().message);
}

BOOST_AUTO_TEST_CASE(a_name_leads_nowhere_else) {
    plugin_folder folder;
    for (const auto* name : {"", "../memory", "a/b", "memory.so", "a b", "\xC3\xA4"}) {
        const auto loaded = load_plugin(name, folder.path().string());
        BOOST_TEST((loaded.has_error() && loaded.error().code == errc::invalid_argument), name);
    }
}

BOOST_AUTO_TEST_CASE(a_file_that_is_no_shared_object_is_refused) {
    plugin_folder folder;
    const auto file = (folder.path() / "text.so").string();
    std::filesystem::copy_file("/etc/passwd", file);
    std::filesystem::permissions(file, std::filesystem::perms(0644));
    const auto loaded = load_plugin(file, "");
    BOOST_TEST((loaded.has_error() && loaded.error().code == errc::unavailable));
}

BOOST_AUTO_TEST_CASE(what_does_not_match_this_build_is_refused_with_both_values) {
    const std::vector<refusal> refusals = {
        {"no_entry_point", {"gallery_storage_plugin"}},
        {"null_descriptor", {"descriptor", "returned null"}},
        {"wrong_magic", {"first bytes", "\"GALLERYS\""}},
        {"wrong_size",
         {"size", std::to_string(sizeof(plugin_descriptor)), std::to_string(sizeof(plugin_descriptor) - 8)}},
        {"wrong_contract_version", {"contract", of_contract(plugin_contract_version)}},
        {"wrong_abi_tag", {"ABI tag", "gcc11", "c++201709L"}},
        {"null_abi_tag", {"ABI tag", plugin_abi_tag, "missing"}},
        {"null_create", {"create"}},
    };
    for (const auto& [plugin, words] : refusals) {
        BOOST_TEST_CONTEXT(plugin) {
            plugin_folder folder;
            const auto file = folder.add("test-plugins", plugin);
            const auto loaded = load_plugin(file, "");
            BOOST_TEST_REQUIRE(loaded.has_error());
            BOOST_TEST((loaded.error().code == errc::unavailable));
            BOOST_TEST(contains(loaded.error().message, file), loaded.error().message);
            for (const auto& word : words)
                BOOST_TEST(contains(loaded.error().message, word), loaded.error().message);
        }
    }
}

BOOST_AUTO_TEST_CASE(of_two_tags_only_what_differs_is_named) {
    const std::string ours = plugin_abi_tag;
    const auto boost = ours.find(";boost-") + 1;
    const auto end = ours.find(';', boost);
    const std::string theirs = ours.substr(0, boost) + "boost-100000" + ours.substr(end);
    plugin_descriptor engine = {GALLERY_PLUGIN_HEADER, "engine", "1", "{}", false, &never_called};
    engine.abi_tag = theirs.c_str();
    const auto checked = check_descriptor(&engine, "/opt/engine.so");
    BOOST_TEST_REQUIRE(checked.has_error());
    const auto& said = checked.error().message;
    BOOST_TEST(contains(said, "the server's is \"" + ours.substr(boost, end - boost) + "\""), said);
    BOOST_TEST(contains(said, "the plugin's is \"boost-100000\""), said);
    BOOST_TEST(!contains(said, "headers-"), said);
}

BOOST_AUTO_TEST_CASE(a_descriptors_name_leads_nowhere_else) {
    const std::string long_name(65, 'n');
    for (const char* name :
         {"", "../../evil", "a/b", ".", "..", "a b", "a.b", "\xC3\xA4", long_name.c_str()}) {
        BOOST_TEST_CONTEXT(name) {
            const plugin_descriptor engine = {GALLERY_PLUGIN_HEADER, name, "1", "{}", false, &never_called};
            const auto checked = check_descriptor(&engine, "/opt/engine.so");
            BOOST_TEST_REQUIRE(checked.has_error());
            BOOST_TEST((checked.error().code == errc::unavailable));
            for (const auto* word : {"/opt/engine.so", "name", "letters, digits"})
                BOOST_TEST(contains(checked.error().message, word), checked.error().message);
        }
    }
    const plugin_descriptor engine = {GALLERY_PLUGIN_HEADER, "Engine_2-x", "1", "{}", false, &never_called};
    BOOST_TEST(check_descriptor(&engine, "/opt/engine.so").has_value());
}

BOOST_AUTO_TEST_CASE(a_plugin_that_cannot_open_its_store_says_why) {
    plugin_folder folder;
    const auto store = open(folder.add("test-plugins", "create_fails"));
    BOOST_TEST_REQUIRE(store.has_error());
    BOOST_TEST((store.error().code == errc::unavailable));
    for (const auto* word : {"create_fails", "/nowhere", "locked by another process"})
        BOOST_TEST(contains(store.error().message, word), store.error().message);
}

BOOST_AUTO_TEST_CASE(a_plugin_that_opens_nothing_or_throws_is_an_error_and_no_crash) {
    for (const auto* plugin : {"create_returns_null", "create_throws"}) {
        plugin_folder folder;
        const auto store = open(folder.add("test-plugins", plugin));
        BOOST_TEST_REQUIRE(store.has_error());
        BOOST_TEST((store.error().code == errc::internal));
        BOOST_TEST(contains(store.error().message, plugin), store.error().message);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::plugins::test
