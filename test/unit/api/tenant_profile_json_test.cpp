// SPDX-License-Identifier: Apache-2.0
// What clients see of a tenant profile.
#include "api/tenant_profile_json.hpp"

#include "accounts/profile_data.hpp"
#include "boost_test.hpp"

#include <boost/json.hpp>

#include <string>

namespace gallery::api {

BOOST_AUTO_TEST_SUITE(tenant_profile_as_json)

BOOST_AUTO_TEST_CASE(limits_that_do_not_apply_are_shown_with_the_reason) {
    accounts::tenant_profile profile;
    BOOST_REQUIRE(accounts::restore_data(
        profile, R"({"configuration":{"maxResourceSize":-1,"customerServerRestLimitsConfiguration":"x"}})"));
    const auto shown = tenant_profile_json(profile);
    const auto& data = shown.at("profileData").as_object();
    const auto& configuration = data.at("configuration").as_object();
    BOOST_TEST(configuration.at("maxResourceSize").as_int64() == -1);
    const auto& ignored = shown.at("ignoredLimits").as_array();
    BOOST_TEST_REQUIRE(ignored.size() == 2U);
    BOOST_TEST(std::string(ignored[0].as_string()).find("maxResourceSize' is -1") != std::string::npos);
    BOOST_TEST(std::string(ignored[1].as_string()).find("customerServerRestLimits") != std::string::npos);
    // A client sends back what it has read, and with an accepted limit all of them apply.
    BOOST_TEST(parse_tenant_profile([&] {
                   auto sent = shown;
                   sent["name"] = "P";
                   sent.erase("id");
                   return sent;
               }())
                   .has_value());
    BOOST_REQUIRE(accounts::set_data(profile, R"({"configuration":{"maxResourceSize":1}})"));
    BOOST_TEST(!tenant_profile_json(profile).contains("ignoredLimits"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::api
