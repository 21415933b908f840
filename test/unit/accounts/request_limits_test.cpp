// SPDX-License-Identifier: Apache-2.0
// Limits of requests by tenant profiles, from the profile to the principal.
#include "accounts/request_limits.hpp"
#include "accounts/profile_data.hpp"
#include "auth/request_limit.hpp"
#include "boost_test.hpp"
#include "house.hpp"

#include <string>

namespace {

using gallery::test::house;
using gallery::test::run;

using namespace gallery;
using namespace gallery::accounts;
using namespace gallery::auth;

std::string data_with_rates(const std::string& of_tenant, const std::string& of_customer) {
    return R"({"configuration":{"tenantServerRestLimitsConfiguration":")" + of_tenant +
           R"(","customerServerRestLimitsConfiguration":")" + of_customer + "\"}}";
}

/// A tenant with a profile of its own. The rates are so slow that no request comes back while a test runs.
struct limited_house : house {
    limited_house() {
        run(accounts.ensure_default_profile()).value();
        tenant_profile made;
        made.name = "limited";
        set_data(made, data_with_rates("3:1000000", "2:1000000")).value();
        profile = run(accounts.create(std::move(made))).value();
        limited = add_tenant("limited");
        give(limited, profile->id);
    }
    void give(const tenant_ptr& to, tenant_profile_id id) {
        auto edit = [id](tenant& value) -> result<void> {
            value.profile = id;
            return {};
        };
        run(accounts.change_tenant(to->id, edit)).value();
    }
    void change(const std::string& of_tenant, const std::string& of_customer) {
        auto edit = [&](tenant_profile& value) {
            return set_data(value, data_with_rates(of_tenant, of_customer));
        };
        run(accounts.change_profile(profile->id, edit)).value();
    }
    /// Whether a request with this token is answered.
    bool is_admitted(const std::string& token) {
        const auto proven = who(token);
        return proven && take_request(**proven).has_value();
    }
    std::string token(const std::string& email, tenant_id owner, std::optional<customer_id> of = {}) {
        add_user(email, owner, "secret1", of);
        return log_in(email).value().token;
    }

    tenant_profile_ptr profile;
    tenant_ptr limited;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(limits_of_profiles, limited_house)

BOOST_AUTO_TEST_CASE(all_users_of_a_tenant_share_its_limit) {
    const auto first = token("a@a.example", limited->id);
    const auto second = token("b@a.example", limited->id);
    BOOST_TEST(is_admitted(first));
    BOOST_TEST(is_admitted(second));
    BOOST_TEST(is_admitted(first));
    BOOST_TEST(!is_admitted(first));
    BOOST_TEST(!is_admitted(second));
    BOOST_TEST(gate.refused_requests().by_tenant == 2U);
    // Another login of the same user does not help.
    BOOST_TEST(!is_admitted(log_in("a@a.example").value().token));
}

BOOST_AUTO_TEST_CASE(each_customer_has_a_limit_of_its_own_within_that_of_the_tenant) {
    const auto one = token("one@a.example", limited->id, add_customer(limited->id, "One")->id);
    const auto two = token("two@a.example", limited->id, add_customer(limited->id, "Two")->id);
    BOOST_TEST(is_admitted(one));
    BOOST_TEST(is_admitted(one));
    BOOST_TEST(!is_admitted(one));
    BOOST_TEST(is_admitted(two));
    // The tenant's three are used up.
    BOOST_TEST(!is_admitted(two));
    BOOST_TEST(gate.refused_requests().by_customer == 1U);
    BOOST_TEST(gate.refused_requests().by_tenant == 1U);
}

BOOST_AUTO_TEST_CASE(tenants_without_a_limit_and_system_administrators_have_none) {
    const auto other = add_tenant("other");
    for (const auto& each : {token("a@o.example", other->id), token("s@s.example", system_tenant)}) {
        const auto proven = who(each).value();
        BOOST_TEST(!proven->tenant_requests);
        BOOST_TEST(!proven->customer_requests);
    }
}

BOOST_AUTO_TEST_CASE(a_changed_profile_takes_effect_with_the_next_request) {
    const auto first = token("a@a.example", limited->id);
    while (is_admitted(first)) {
    }
    change("5:1000000", "");
    for (int i = 0; i < 5; ++i)
        BOOST_TEST(is_admitted(first));
    BOOST_TEST(!is_admitted(first));
    change("", "");
    BOOST_TEST(is_admitted(first));
    BOOST_TEST(!who(first).value()->tenant_requests);
}

BOOST_AUTO_TEST_CASE(another_profile_of_the_tenant_takes_effect_with_the_next_request) {
    const auto first = token("a@a.example", limited->id);
    while (is_admitted(first)) {
    }
    give(limited, accounts.default_profile()->id);
    BOOST_TEST(is_admitted(first));
    give(limited, profile->id);
    // The same rates go on as they were.
    BOOST_TEST(!is_admitted(first));
}

BOOST_AUTO_TEST_CASE(
    a_tenant_without_a_profile_of_its_own_keeps_its_limits_when_another_becomes_the_default) {
    const auto other = add_tenant("other");
    const auto first = token("a@o.example", other->id);
    BOOST_TEST(!who(first).value()->tenant_requests);
    run(accounts.make_default(profile->id)).value();
    BOOST_TEST(!accounts.find_tenant(other->id)->profile);
    BOOST_TEST(!who(first).value()->tenant_requests);
}

BOOST_AUTO_TEST_SUITE_END()
