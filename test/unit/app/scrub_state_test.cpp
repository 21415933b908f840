// SPDX-License-Identifier: Apache-2.0
// What the scrub knows a store by, and whose turn and state it has.
#include "app/scrub_state.hpp"

#include "accounts/documents_in_memory.hpp"
#include "await.hpp"
#include "boost_test.hpp"

#include <optional>
#include <string>

namespace {

using namespace gallery;
using gallery::test::await;
using gallery::test::documents_in_memory;

/// The scrub of a server on a store, without a file.
struct scrub_of {
    scrub_of(documents_in_memory& store, const std::string& server, bool& is_shared)
        : turn(store, "scrub", server, std::chrono::minutes(1)) {
        app::keep_scrub(options, {"", store, turn, [&is_shared] { return is_shared; },
                                  [] { return std::string("place"); }});
    }
    std::string name() { return await(options.store_name()).value(); }
    bool has_turn() { return await(options.turn.acquire()).value(); }

    app::lease turn;
    scrub::scrub_options options;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(scrub_states)

/// Two databases of one engine, for instance.
BOOST_AUTO_TEST_CASE(each_store_has_a_name_that_all_its_servers_know) {
    documents_in_memory first;
    documents_in_memory second;
    bool shared = true;
    scrub_of one(first, "one", shared);
    scrub_of other(first, "other", shared);
    scrub_of elsewhere(second, "one", shared);
    const auto name = one.name();
    BOOST_TEST(one.name() == name);
    BOOST_TEST(other.name() == name);
    BOOST_TEST(elsewhere.name() != name);
    BOOST_TEST(elsewhere.name().find("place") == std::string::npos);
    // The state of a store that is not shared is in another place.
    shared = false;
    BOOST_TEST(one.name() != name);
}

BOOST_AUTO_TEST_CASE(each_store_has_its_own_turn_and_state) {
    documents_in_memory first;
    documents_in_memory second;
    bool shared = true;
    scrub_of one(first, "one", shared);
    scrub_of other(first, "other", shared);
    scrub_of elsewhere(second, "other", shared);
    BOOST_TEST(one.has_turn());
    BOOST_TEST(!other.has_turn());
    BOOST_TEST(elsewhere.has_turn());
    BOOST_REQUIRE(await(one.options.save("state of the first")));
    BOOST_TEST(await(other.options.load()).value().value() == "state of the first");
    BOOST_TEST(!await(elsewhere.options.load()).value().has_value());
    // After a switch the turn in the former store is not that of the new one.
    one.options.turn.forget();
    BOOST_TEST(!await(one.options.save("too late")).has_value());
    BOOST_TEST(await(other.options.load()).value().value() == "state of the first");
}

BOOST_AUTO_TEST_CASE(a_store_without_an_identity_that_takes_no_writes_is_named_by_its_place) {
    documents_in_memory store;
    bool shared = false;
    scrub_of one(store, "one", shared);
    store.before_write = [](const std::string&) { return std::optional<error>({errc::no_space, "full"}); };
    BOOST_TEST(one.name() == "place");
    store.before_write = [](const std::string&) { return std::optional<error>({errc::unavailable, "away"}); };
    BOOST_TEST(!await(one.options.store_name()).has_value());
    store.before_write = nullptr;
    const auto name = one.name();
    BOOST_TEST(name != "place");
    store.before_write = [](const std::string&) { return std::optional<error>({errc::no_space, "full"}); };
    BOOST_TEST(one.name() == name);
}

BOOST_AUTO_TEST_SUITE_END()
