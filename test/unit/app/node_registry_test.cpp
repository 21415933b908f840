// SPDX-License-Identifier: Apache-2.0
// Which servers are on a store.
#include "app/node_registry.hpp"

#include "mirror/superseded.hpp"

#include "accounts/documents_in_memory.hpp"
#include "await.hpp"
#include "boost_test.hpp"
#include "scratch_folder.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace gallery;
using gallery::app::node_registry;
using gallery::test::await;
using gallery::test::documents_in_memory;

struct registry_fixture {
    documents_in_memory store;
    std::int64_t now = 1'700'000'000'000;

    node_registry of(std::string address, bool shared = true) {
        api::node self;
        self.id = to_string(random_uuid());
        self.address = std::move(address);
        self.version = "1.2.3";
        return node_registry(
            store, [shared] { return shared; }, std::move(self), [this] { return now; });
    }
    void pass(std::chrono::milliseconds time) { now += time.count(); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(registry, registry_fixture)

BOOST_AUTO_TEST_CASE(each_server_sees_all_of_them) {
    auto b = of("b:1");
    auto a = of("a:1");
    BOOST_REQUIRE(await(b.announce()));
    BOOST_REQUIRE(await(a.announce()));
    const auto seen = await(a.list()).value();
    BOOST_REQUIRE(seen.size() == 2U);
    BOOST_TEST(seen[0].address == "a:1");
    BOOST_TEST(seen[0].is_self);
    BOOST_TEST(seen[0].version == "1.2.3");
    BOOST_TEST(seen[0].started_time == now);
    BOOST_TEST(!seen[1].is_self);
    BOOST_TEST(seen[1].is_up);
}

BOOST_AUTO_TEST_CASE(one_that_is_not_seen_is_missing_and_later_forgotten) {
    auto a = of("a:1");
    auto b = of("b:1");
    BOOST_REQUIRE(await(a.announce()));
    BOOST_REQUIRE(await(b.announce()));
    pass(std::chrono::seconds(30));
    BOOST_TEST(await(a.list()).value()[1].is_up);
    pass(std::chrono::seconds(1));
    const auto later = await(a.list()).value();
    BOOST_TEST(!later[1].is_up);
    BOOST_TEST(later[1].last_seen_time == now - 31'000);
    BOOST_REQUIRE(await(a.forget_missing()));
    BOOST_TEST(store.count("node") == 2U);
    pass(std::chrono::hours(24));
    BOOST_REQUIRE(await(a.announce()));
    BOOST_TEST(await(a.list()).value().size() == 1U);
    BOOST_REQUIRE(await(a.forget_missing()));
    BOOST_TEST(store.count("node") == 1U);
}

BOOST_AUTO_TEST_CASE(one_that_ends_is_gone_at_once) {
    auto a = of("a:1");
    auto b = of("b:1");
    BOOST_REQUIRE(await(a.announce()));
    BOOST_REQUIRE(await(b.announce()));
    BOOST_REQUIRE(await(b.withdraw()));
    BOOST_TEST(await(a.list()).value().size() == 1U);
}

BOOST_AUTO_TEST_CASE(the_owner_of_a_store_is_listed_and_writes_nothing) {
    auto alone = of("a:1", false);
    BOOST_REQUIRE(await(alone.announce()));
    pass(std::chrono::hours(48));
    const auto seen = await(alone.list()).value();
    BOOST_REQUIRE(seen.size() == 1U);
    BOOST_TEST(seen[0].is_up);
    BOOST_TEST(seen[0].last_seen_time == now);
    BOOST_TEST(store.count("node") == 0U);
}

BOOST_AUTO_TEST_CASE(a_condition_holds_while_a_server_is_silent) {
    auto a = of("a:1");
    BOOST_REQUIRE(await(a.announce()));
    const auto id = await(a.list()).value().at(0).id;
    const auto holds = [&](const std::optional<app::announcement>& last) {
        std::vector<document_write> parts;
        parts.push_back(app::require_silence(id, last));
        return await(store.write(std::move(parts))).value().status == write_status::committed;
    };
    const auto last = await(app::find_announcement(store, id)).value();
    BOOST_REQUIRE(last.has_value());
    BOOST_TEST(last->node.address == "a:1");
    BOOST_TEST(last->is_recent(now));
    BOOST_TEST(!last->is_recent(now + app::missing_after().count() + 1));
    BOOST_TEST(holds(last));
    pass(std::chrono::seconds(10));
    BOOST_REQUIRE(await(a.announce()));
    BOOST_TEST(!holds(last));
    BOOST_REQUIRE(await(a.withdraw()));
    BOOST_TEST(!await(app::find_announcement(store, id)).value().has_value());
    BOOST_TEST(!holds(last));
    BOOST_TEST(holds(std::nullopt));
}

BOOST_AUTO_TEST_CASE(others_are_the_ones_that_are_up) {
    auto a = of("a:1");
    auto b = of("b:1");
    auto c = of("c:1");
    BOOST_REQUIRE(await(c.announce()));
    pass(std::chrono::seconds(31));
    BOOST_REQUIRE(await(a.join(store)));
    BOOST_REQUIRE(await(b.announce()));
    const auto seen = await(a.others(store)).value();
    BOOST_REQUIRE(seen.size() == 1U);
    BOOST_TEST(seen[0].address == "b:1");
    BOOST_REQUIRE(await(b.leave(store)));
    BOOST_TEST(await(a.others(store)).value().empty());
}

BOOST_AUTO_TEST_CASE(a_server_whose_clock_is_behind_is_not_taken_for_one_that_is_missing) {
    auto a = of("a:1");
    auto b = of("b:1");
    const auto announce_late = [&] {
        pass(-std::chrono::hours(1));
        BOOST_REQUIRE(await(b.announce()));
        pass(std::chrono::hours(1));
    };
    announce_late();
    BOOST_REQUIRE(await(a.announce()));
    BOOST_TEST(!await(a.list()).value()[1].is_up);
    for (int i = 0; i < 5; ++i) {
        BOOST_REQUIRE(await(a.others()).value().size() == 1U);
        pass(std::chrono::seconds(20));
        announce_late();
        BOOST_REQUIRE(await(a.announce()));
    }
    pass(std::chrono::seconds(31));
    BOOST_TEST(await(a.others()).value().empty());
}

BOOST_AUTO_TEST_CASE(no_server_announces_itself_on_a_store_that_a_switch_claims_or_has_left) {
    auto a = of("a:1");
    auto b = of("b:1");
    const auto id_of_a = [&] {
        BOOST_REQUIRE(await(a.announce()));
        return await(a.list()).value().at(0).id;
    }();
    mirror::successor claim{"rocksdb", "/srv/images", "an identity", 1'764'448'000'000, id_of_a};
    BOOST_REQUIRE(await(mirror::claim_store(store, claim, false)));
    const auto refused = await(b.announce());
    BOOST_REQUIRE(refused.has_error());
    BOOST_TEST(bool(refused.error().code == errc::unavailable));
    BOOST_TEST(refused.error().message.find(id_of_a) != std::string::npos, refused.error().message);
    BOOST_TEST(store.count("node") == 1U);
    // The switch is its own.
    BOOST_REQUIRE(await(a.announce()));
    claim.node.clear();
    BOOST_REQUIRE(await(mirror::note_successor(store, claim)));
    for (auto* each : {&a, &b}) {
        const auto left = await(each->announce());
        BOOST_REQUIRE(left.has_error());
        BOOST_TEST(left.error().message.find("rocksdb:/srv/images") != std::string::npos,
                   left.error().message);
    }
    BOOST_REQUIRE(await(mirror::release_store(store)));
    BOOST_REQUIRE(await(b.announce()));
}

BOOST_AUTO_TEST_CASE(a_server_keeps_its_id) {
    const test::scratch_folder one;
    const test::scratch_folder other;
    const auto id = app::load_or_create_node_id(one.path().string()).value();
    BOOST_TEST(parse_uuid(id).has_value());
    BOOST_TEST(app::load_or_create_node_id(one.path().string()).value() == id);
    BOOST_TEST(app::load_or_create_node_id(other.path().string()).value() != id);
    BOOST_TEST(!app::load_or_create_node_id((one.path() / "missing").string()).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
