// SPDX-License-Identifier: Apache-2.0
// A store that does not keep the contract is found out before anything is served from it.
#include "plugins/probe.hpp"

#include "await.hpp"
#include "boost_test.hpp"
#include "plugins.hpp"
#include "plugins/host.hpp"
#include "plugins/options.hpp"
#include "scratch_folder.hpp"

#include <barrier>
#include <chrono>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace gallery::plugins::test {

namespace {

std::unique_ptr<measured_engine> open(const std::string& file) {
    const auto loaded = load_plugin(file, "");
    BOOST_REQUIRE_MESSAGE(loaded.has_value(), loaded.error().message);
    plugin_context context;
    context.log = [](log_level, std::string_view) {};
    auto store = open_store(*loaded, std::move(context));
    BOOST_REQUIRE_MESSAGE(store.has_value(), store.error().message);
    return std::make_unique<measured_engine>(std::move(*store), loaded->descriptor->name);
}

constexpr std::chrono::seconds plenty{60};

/// One opening of several of a store.
class opening final : public storage_engine {
public:
    explicit opening(storage_engine& store) : store_(store) {}
    image_store& images() noexcept override { return store_.images(); }
    document_store& documents() noexcept override { return store_.documents(); }
    change_feed& feed() noexcept override { return store_.feed(); }
    task<result<check_report>> check() override { return store_.check(); }
    std::vector<statistic> statistics() const override { return store_.statistics(); }

private:
    storage_engine& store_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(probing)

BOOST_AUTO_TEST_CASE(a_sound_store_passes_and_is_left_as_it_was) {
    plugin_folder folder;
    auto probed = probe(open(folder.add("plugins", "memory")), false, plenty);
    BOOST_REQUIRE_MESSAGE(probed.has_value(), probed.error().message);
    const std::optional<tenant_id> everybody;
    const auto left = gallery::test::await(probed->store->images().scan(everybody, "", 10));
    BOOST_TEST((left.has_value() && left->items.empty()));
    const auto documents = gallery::test::await(probed->store->documents().scan("", "", 10));
    BOOST_TEST((documents.has_value() && documents->items.empty()));
    const auto used = gallery::test::await(probed->store->images().usage(everybody));
    BOOST_TEST((used.has_value() && *used == tenant_usage{}));
}

BOOST_AUTO_TEST_CASE(nothing_is_written_to_a_store_that_is_refused) {
    plugin_folder folder;
    const auto store = open(folder.add("plugins", "memory"));
    const auto before = gallery::test::await(store->feed().last()).value();
    const auto refuse = [](document_store&) -> task<result<void>> {
        co_return error{errc::unavailable, "another server uses the store"};
    };
    auto mine = std::make_unique<measured_engine>(std::make_unique<opening>(*store), "memory");
    const auto refused = probe(std::move(mine), true, plenty, refuse);
    BOOST_TEST_REQUIRE(refused.has_error());
    BOOST_TEST(refused.error().message == "another server uses the store");
    BOOST_TEST(gallery::test::await(store->feed().last()).value() == before);
}

BOOST_AUTO_TEST_CASE(servers_that_start_at_once_on_one_store_do_not_disturb_each_other) {
    plugin_folder folder;
    const auto store = open(folder.add("plugins", "memory"));
    constexpr int servers = 4;
    std::barrier together(servers);
    std::vector<std::string> outcomes(servers);
    std::vector<std::thread> threads;
    for (auto& outcome : outcomes) {
        threads.emplace_back([&] {
            auto mine = std::make_unique<measured_engine>(std::make_unique<opening>(*store), "memory");
            together.arrive_and_wait();
            const auto probed = probe(std::move(mine), true, plenty);
            outcome = probed ? "passed" : probed.error().message;
        });
    }
    for (auto& thread : threads)
        thread.join();
    for (const auto& outcome : outcomes)
        BOOST_TEST(outcome == "passed");
    const auto documents = gallery::test::await(store->documents().scan("", "", 10));
    BOOST_TEST((documents.has_value() && documents->items.empty()));
}

BOOST_AUTO_TEST_CASE(what_a_killed_probe_left_goes_and_what_a_running_one_uses_stays) {
    plugin_folder folder;
    const auto store = open(folder.add("plugins", "memory"));
    const auto leave = [&](const std::string& begun) {
        document doc;
        doc.kind = "probe";
        doc.id = gallery::to_string(random_uuid());
        doc.body = begun;
        gallery::test::await(store->documents().save(doc, precondition::absent())).value();
        return doc.id;
    };
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
    const auto killed = leave(std::to_string(now - 2 * 3'600'000));
    const auto running = leave(std::to_string(now));
    const auto is_there = [&](const std::string& id) {
        return gallery::test::await(store->documents().find("probe", id)).has_value();
    };
    const auto look = [&](bool shared) {
        auto mine = std::make_unique<measured_engine>(std::make_unique<opening>(*store), "memory");
        BOOST_TEST(probe(std::move(mine), shared, plenty).has_value());
    };
    look(true);
    BOOST_TEST(!is_there(killed));
    BOOST_TEST(is_there(running));
    // A store that one process owns has no other probe.
    look(false);
    BOOST_TEST(!is_there(running));
}

BOOST_AUTO_TEST_CASE(a_store_that_breaks_the_contract_is_refused_with_what_it_did) {
    for (const auto* plugin : {"loses_writes", "wrong_bytes", "ignores_conflicts", "wrong_list",
                               "forgets_to_erase", "throws_from_find", "unordered_feed", "silent_feed",
                               "forgets_kept", "reads_dropped", "wrong_usage", "ignores_filters"}) {
        BOOST_TEST_CONTEXT(plugin) {
            plugin_folder folder;
            const auto probed = probe(open(folder.add("test-plugins", plugin)), false, plenty);
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
            context.log = [](log_level, std::string_view) {};
            context.options = {{"folder", switches.path().string()},
                               {"connection_uri", "db://u:hunter2@host"}};
            const secret_texts secrets(*loaded->descriptor, context.options);
            auto store = open_store(*loaded, std::move(context));
            BOOST_REQUIRE_MESSAGE(store.has_value(), store.error().message);
            std::ofstream(switches.path() / state);
            const auto probed = probe(
                std::make_unique<measured_engine>(std::move(*store), "switchable", secrets), false, plenty);
            BOOST_REQUIRE_MESSAGE(probed.has_value(), probed.error().message);
            BOOST_TEST(!probed->unwritable.empty());
            BOOST_TEST(contains(probed->unwritable, "********"), probed->unwritable);
            BOOST_TEST(!contains(probed->unwritable, "hunter2"), probed->unwritable);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::plugins::test
