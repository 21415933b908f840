// SPDX-License-Identifier: Apache-2.0
// Where an activation link leads to.
#include "accounts/house.hpp"
#include "api/account_services.hpp"
#include "boost_test.hpp"
#include "http/head_parser.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace gallery::test {

namespace {

struct accounts_api {
    house h;
    accounts::tenant_profiles tenant_profiles{h.accounts};
    accounts::tenants tenants{h.accounts, {}, {}, false};
    accounts::customers customers{h.accounts};
    accounts::users users{h.accounts, h.credentials};
    accounts::api_keys api_keys{h.accounts};
    fair_pool<tenant_id> background{"lists", {.at_once = 1}};
    api::account_services services{h.logins, tenant_profiles, tenants,    customers,
                                   users,    api_keys,        background, {}};

    result<http::response> follow(std::string_view token) {
        const std::string head =
            "GET /api/noauth/activate?activateToken=" + std::string(token) + " HTTP/1.1\r\nHost: a\r\n\r\n";
        const auto message = std::make_unique<http::request>();
        if (http::parse_head(head, {}, message->mutable_head()).status != http::head_status::complete)
            throw std::logic_error("malformed head: " + head);
        const auto rows = api::auth_endpoints();
        const auto row = std::find_if(rows.begin(), rows.end(),
                                      [](const auto& one) { return one.name == "auth.activation_link"; });
        return run(row->handler.answer(services, *message, {}));
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(activation_link)

BOOST_AUTO_TEST_CASE(a_link_that_is_no_good_is_a_conflict) {
    accounts_api api;
    const auto refused = api.follow(std::string(75, 'a'));
    BOOST_REQUIRE(!refused);
    BOOST_TEST((refused.error().code == errc::version_conflict));
}

BOOST_AUTO_TEST_CASE(while_the_store_cannot_be_followed_nothing_is_said_about_a_link) {
    accounts_api api;
    api.h.accounts.follow_with([]() -> task<result<void>> {
        co_return error{errc::unavailable, "no way to the store"};
    });
    const auto refused = api.follow(std::string(75, 'a'));
    BOOST_REQUIRE(!refused);
    BOOST_TEST((refused.error().code == errc::unavailable));
}

BOOST_AUTO_TEST_CASE(a_link_that_another_server_made_a_moment_ago_is_good) {
    accounts_api api;
    auto& h = api.h;
    const auto tenant = h.add_tenant();
    // The user comes to be known only when this server looks at what others wrote.
    accounts::user value;
    value.id.value = random_uuid();
    value.email = "new@b.example";
    value.owner = tenant->id;
    value.role = auth::authority::tenant_admin;
    value.enabled = false;
    value.pending = h.credentials.begin_activation();
    std::string link = to_string(value.id);
    std::erase(link, '-');
    link += accounts::activation_mac(h.codec, value.id, value.pending->nonce);
    BOOST_TEST(!api.follow(link).has_value());
    bool is_known = false;
    h.accounts.follow_with([&]() -> task<result<void>> {
        if (std::exchange(is_known, true)) co_return result<void>();
        auto made = co_await h.accounts.create(value);
        if (!made) co_return made.error();
        co_return result<void>();
    });
    const auto followed = api.follow(link);
    BOOST_REQUIRE(followed);
    BOOST_TEST(followed->status() == 303U);
    BOOST_TEST(followed->header("Location") == "/login/createPassword?activateToken=" + link);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::test
