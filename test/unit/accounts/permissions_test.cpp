// SPDX-License-Identifier: Apache-2.0
#include "accounts/permissions.hpp"
#include "boost_test.hpp"

#include <optional>

namespace {

using namespace gallery;

auth::principal administrator(std::optional<api_key_id> key = {}) {
    auth::principal who;
    who.user = user_id{random_uuid()};
    who.tenant = tenant_id{random_uuid()};
    who.role = auth::authority::tenant_admin;
    who.api_key = key;
    return who;
}

accounts::user invited(std::optional<api_key_id> made_with) {
    accounts::user out;
    out.id = user_id{random_uuid()};
    out.pending = accounts::activation{.nonce = "n", .expires = 1, .made_with = made_with};
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(who_may_open_accounts)

BOOST_AUTO_TEST_CASE(an_api_key_may_not_and_is_told_to_sign_in) {
    BOOST_TEST(accounts::require_signed_in(administrator()).has_value());
    const auto refused = accounts::require_signed_in(administrator(api_key_id{random_uuid()}));
    BOOST_REQUIRE(!refused);
    BOOST_TEST((refused.error().code == errc::permission_denied));
    BOOST_TEST(refused.error().message.find("Sign in") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_api_key_makes_no_equal_of_its_user) {
    const auto script = administrator(api_key_id{random_uuid()});
    BOOST_TEST(!accounts::may_give_role(script, auth::authority::tenant_admin).has_value());
    BOOST_TEST(accounts::may_give_role(script, auth::authority::customer_user).has_value());
    BOOST_TEST(accounts::may_give_role(administrator(), auth::authority::tenant_admin).has_value());
}

BOOST_AUTO_TEST_CASE(an_api_key_lets_in_whom_it_made_until_a_password_is_chosen) {
    const api_key_id key{random_uuid()};
    const auto script = administrator(key);
    auto user = invited(key);
    BOOST_TEST(accounts::may_give_access(script, user).has_value());
    BOOST_TEST(accounts::may_give_access(administrator(), user).has_value());
    BOOST_TEST(!accounts::may_give_access(administrator(api_key_id{random_uuid()}), user).has_value());
    BOOST_TEST(!accounts::may_give_access(script, invited({})).has_value());
    BOOST_TEST(accounts::may_give_access(administrator(), invited({})).has_value());
    user.pending.reset();
    BOOST_TEST(!accounts::may_give_access(script, user).has_value());
    BOOST_TEST(accounts::may_give_access(administrator(), user).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
