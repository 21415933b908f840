// SPDX-License-Identifier: Apache-2.0
// A store that does not keep the contract is found out before anything is served from it.
#include "plugins/probe.hpp"

#include "await.hpp"
#include "boost_test.hpp"
#include "plugins.hpp"
#include "plugins/host.hpp"
#include "plugins/options.hpp"
#include "scratch_folder.hpp"

#include <fstream>
#include <memory>

namespace gallery::plugins::test {

namespace {

std::unique_ptr<measured_engine> open(const std::string& file) {
    const auto loaded = load_plugin(file, "");
    BOOST_REQUIRE_MESSAGE(loaded.has_value(), loaded.error().message);
    plugin_context context;
    context.log = [](plugin_context::log_level, std::string_view) {};
    auto store = open_store(*loaded, std::move(context));
    BOOST_REQUIRE_MESSAGE(store.has_value(), store.error().message);
    return std::make_unique<measured_engine>(std::move(*store), loaded->descriptor->name);
}

constexpr std::chrono::seconds plenty{60};

}  // namespace

BOOST_AUTO_TEST_SUITE(probing)

BOOST_AUTO_TEST_CASE(a_sound_store_passes_and_is_left_as_it_was) {
    plugin_folder folder;
    auto probed = probe(open(folder.add("plugins", "memory")), plenty);
    BOOST_REQUIRE_MESSAGE(probed.has_value(), probed.error().message);
    const std::optional<tenant_id> everybody;
    const auto left = gallery::test::await(probed->store->images().scan(everybody, "", 10));
    BOOST_TEST((left.has_value() && left->items.empty()));
    const auto documents = gallery::test::await(probed->store->documents().scan("", "", 10));
    BOOST_TEST((documents.has_value() && documents->items.empty()));
    const auto used = gallery::test::await(probed->store->images().usage(everybody));
    BOOST_TEST((used.has_value() && *used == tenant_usage{}));
}

BOOST_AUTO_TEST_CASE(a_store_that_breaks_the_contract_is_refused_with_what_it_did) {
    for (const auto* plugin : {"loses_writes", "wrong_bytes", "ignores_conflicts", "wrong_list",
                               "forgets_to_erase", "throws_from_find", "unordered_feed", "silent_feed",
                               "forgets_kept", "reads_dropped", "wrong_usage", "ignores_filters"}) {
        BOOST_TEST_CONTEXT(plugin) {
            plugin_folder folder;
            const auto probed = probe(open(folder.add("test-plugins", plugin)), plenty);
            BOOST_TEST_REQUIRE(probed.has_error());
            BOOST_TEST(contains(probed.error().message, "expected"), probed.error().message);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_store_that_accepts_no_writes_passes_by_what_can_be_read) {
    for (const auto* state : {"read_only", "failed"}) {
        BOOST_TEST_CONTEXT(state) {
            const gallery::test::scratch_folder switches;
            plugin_folder folder;
            const auto loaded = load_plugin(folder.add("test-plugins", "switchable"), "");
            BOOST_REQUIRE_MESSAGE(loaded.has_value(), loaded.error().message);
            plugin_context context;
            context.log = [](plugin_context::log_level, std::string_view) {};
            context.options = {{"folder", switches.path().string()},
                               {"connection_uri", "db://u:hunter2@host"}};
            const secret_texts secrets(*loaded->descriptor, context.options);
            auto store = open_store(*loaded, std::move(context));
            BOOST_REQUIRE_MESSAGE(store.has_value(), store.error().message);
            std::ofstream(switches.path() / state);
            const auto probed =
                probe(std::make_unique<measured_engine>(std::move(*store), "switchable", secrets), plenty);
            BOOST_REQUIRE_MESSAGE(probed.has_value(), probed.error().message);
            BOOST_TEST(!probed->unwritable.empty());
            BOOST_TEST(contains(probed->unwritable, "********"), probed->unwritable);
            BOOST_TEST(!contains(probed->unwritable, "hunter2"), probed->unwritable);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::plugins::test
