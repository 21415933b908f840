// SPDX-License-Identifier: Apache-2.0
#include "api/tenant_profile_json.hpp"

#include "api/json_fields.hpp"

#include <boost/json/parse.hpp>

namespace gallery::api {
namespace {

constexpr std::string_view profile_type = "TENANT_PROFILE";
constexpr std::size_t max_description_characters = 4096;

}  // namespace

boost::json::object tenant_profile_json(const accounts::tenant_profile& value) {
    auto out = tenant_profile_info_json(value);
    out["createdTime"] = value.created_time;
    if (!value.description.empty()) out["description"] = value.description;
    out["default"] = value.is_default;
    out["isolatedTbRuleEngine"] = value.isolated_rule_engine;
    // set_data() and restore_data() have made sure that it is JSON.
    boost::system::error_code failed;
    out["profileData"] = boost::json::parse(value.data, failed);
    if (!value.ignored_limits.empty()) {
        auto& ignored = out["ignoredLimits"].emplace_array();
        for (const auto& reason : value.ignored_limits)
            ignored.emplace_back(reason);
    }
    return out;
}

boost::json::object tenant_profile_info_json(const accounts::tenant_profile& value) {
    boost::json::object out;
    out["id"] = entity_id(profile_type, value.id.value);
    out["name"] = value.name;
    return out;
}

result<accounts::submitted_profile> parse_tenant_profile(const boost::json::object& from) {
    json_fields fields(from);
    accounts::submitted_profile out;
    out.id = fields.id("id", profile_type, false);
    out.name = fields.text("name");
    out.description = fields.long_text("description", max_description_characters);
    out.is_default = fields.boolean("default").value_or(false);
    out.isolated_rule_engine = fields.boolean("isolatedTbRuleEngine").value_or(false);
    out.data = fields.json("profileData");
    if (const auto good = fields.done(); !good) return good.error();
    return out;
}

}  // namespace gallery::api
