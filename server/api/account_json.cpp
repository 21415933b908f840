// SPDX-License-Identifier: Apache-2.0
#include "api/account_json.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <utility>

namespace gallery::api {
namespace {

namespace json = boost::json;

constexpr std::string_view enabled_flag = "userCredentialsEnabled";
constexpr std::string_view activated_flag = "userActivated";

void put(json::object& out, std::string_view name, const std::string& value) {
    if (!value.empty()) out[name] = value;
}

void put(json::object& out, const accounts::contact& value) {
    put(out, "country", value.country);
    put(out, "state", value.state);
    put(out, "city", value.city);
    put(out, "address", value.address);
    put(out, "address2", value.address2);
    put(out, "zip", value.zip);
    put(out, "phone", value.phone);
    put(out, "email", value.email);
}

accounts::contact contact_from(json_fields& from) {
    accounts::contact out;
    out.country = from.text("country");
    out.state = from.text("state");
    out.city = from.text("city");
    out.address = from.text("address");
    out.address2 = from.text("address2");
    out.zip = from.text("zip");
    out.phone = from.text("phone");
    out.email = from.text("email");
    if (!out.email.empty() && !is_email_address(out.email)) {
        from.refuse("Invalid email address format '" + out.email + "'!");
    }
    return out;
}

json::value additional_info(const std::string& text) {
    if (text.empty()) return nullptr;
    boost::system::error_code failed;
    auto value = json::parse(text, failed);
    return failed ? json::value(nullptr) : value;
}

}  // namespace

bool is_email_address(std::string_view text) noexcept {
    const auto at = text.find('@');
    if (at == 0 || at == std::string_view::npos || at + 1 == text.size()) return false;
    return text.find('@', at + 1) == std::string_view::npos &&
           text.find_first_of(" \t\r\n<>,;\"") == std::string_view::npos;
}

json::object tenant_json(const accounts::tenant& value) {
    json::object out;
    out["id"] = entity_id("TENANT", value.id.value);
    out["createdTime"] = value.created_time;
    out["title"] = value.title;
    out["name"] = value.title;
    put(out, "region", value.region);
    put(out, value.reach);
    out["tenantProfileId"] = entity_id("TENANT_PROFILE", value.profile.value_or(system_tenant.value));
    out["version"] = value.version;
    out["additionalInfo"] = additional_info(value.additional_info);
    return out;
}

json::object customer_json(const accounts::customer& value) {
    json::object out;
    out["id"] = entity_id("CUSTOMER", value.id.value);
    out["createdTime"] = value.created_time;
    out["tenantId"] = entity_id("TENANT", value.owner.value);
    out["title"] = value.title;
    out["name"] = value.title;
    put(out, value.reach);
    out["version"] = value.version;
    out["additionalInfo"] = additional_info(value.additional_info);
    return out;
}

json::object user_json(const accounts::user& value) {
    json::object out;
    out["id"] = entity_id("USER", value.id.value);
    out["createdTime"] = value.created_time;
    out["tenantId"] = entity_id("TENANT", value.owner.value);
    out["customerId"] = entity_id("CUSTOMER", value.customer ? value.customer->value : system_tenant.value);
    out["email"] = value.email;
    out["name"] = value.email;
    out["authority"] = auth::name_of(value.role);
    put(out, "firstName", value.first_name);
    put(out, "lastName", value.last_name);
    put(out, "phone", value.phone);
    out["version"] = value.version;
    auto info = additional_info(value.additional_info);
    auto& members = info.is_object() ? info.get_object() : info.emplace_object();
    members[enabled_flag] = value.enabled;
    members[activated_flag] = !value.pending.has_value();
    out["additionalInfo"] = std::move(info);
    return out;
}

json::object user_json(const auth::principal& value) {
    json::object out;
    out["id"] = entity_id("USER", value.user.value);
    out["createdTime"] = 0;
    out["tenantId"] = entity_id("TENANT", value.tenant.value);
    out["customerId"] = entity_id("CUSTOMER", value.customer ? value.customer->value : system_tenant.value);
    out["email"] = value.email;
    out["name"] = value.email;
    out["authority"] = auth::name_of(value.role);
    put(out, "firstName", value.first_name);
    put(out, "lastName", value.last_name);
    out["additionalInfo"] = nullptr;
    return out;
}

json::object api_key_json(const accounts::api_key& value, std::int64_t now) {
    json::object out;
    out["id"] = entity_id("API_KEY", value.id.value);
    out["createdTime"] = value.created_time;
    out["tenantId"] = entity_id("TENANT", value.owner.value);
    out["userId"] = entity_id("USER", value.holder.value);
    out["expirationTime"] = value.expiration_time;
    out["description"] = value.description;
    out["enabled"] = value.enabled;
    out["expired"] = value.expired(now);
    out["lastUsedTime"] = value.latest_use->load(std::memory_order_relaxed);
    return out;
}

result<accounts::submitted<accounts::tenant>> parse_tenant(const json::object& from) {
    json_fields fields(from);
    accounts::submitted<accounts::tenant> out;
    out.id = fields.id("id", "TENANT", false);
    out.version = fields.integer("version");
    out.value.title = fields.text("title");
    out.value.region = fields.text("region");
    out.value.reach = contact_from(fields);
    out.value.profile = fields.id("tenantProfileId", "TENANT_PROFILE");
    out.value.additional_info = fields.json("additionalInfo");
    if (const auto good = fields.done(); !good) return good.error();
    return out;
}

result<accounts::submitted<accounts::customer>> parse_customer(const json::object& from) {
    json_fields fields(from);
    accounts::submitted<accounts::customer> out;
    out.id = fields.id("id", "CUSTOMER", false);
    out.version = fields.integer("version");
    out.value.title = fields.text("title");
    out.value.reach = contact_from(fields);
    out.value.additional_info = fields.json("additionalInfo");
    if (const auto good = fields.done(); !good) return good.error();
    return out;
}

result<accounts::submitted_user> parse_user(const json::object& from) {
    json_fields fields(from);
    accounts::submitted_user out;
    out.id = fields.id("id", "USER", false);
    out.version = fields.integer("version");
    out.tenant = fields.id("tenantId", "TENANT");
    out.customer = fields.id("customerId", "CUSTOMER");
    out.value.email = fields.text("email");
    if (!out.value.email.empty() && !is_email_address(out.value.email)) {
        fields.refuse("Invalid email address format '" + out.value.email + "'!");
    }
    out.value.first_name = fields.text("firstName");
    out.value.last_name = fields.text("lastName");
    out.value.phone = fields.text("phone");
    const auto role_name = fields.text("authority");
    if (role_name.empty()) {
        fields.refuse("User authority isn't defined!");
    } else if (const auto role = auth::parse_authority(role_name)) {
        out.value.role = *role;
    } else {
        fields.refuse("The field 'authority' is '" + role_name.substr(0, 80) +
                      "'. It takes SYS_ADMIN, TENANT_ADMIN or CUSTOMER_USER");
    }
    // What the server itself tells there is not stored: it would contradict the account one day.
    if (const auto* info = from.if_contains("additionalInfo"); info != nullptr && info->is_object()) {
        auto kept = info->get_object();
        kept.erase(enabled_flag);
        kept.erase(activated_flag);
        json::object only;
        only["additionalInfo"] = std::move(kept);
        json_fields inner(only);
        out.value.additional_info = inner.json("additionalInfo");
        if (out.value.additional_info == "{}") out.value.additional_info.clear();
        if (const auto good = inner.done(); !good) return good.error();
    } else if (info != nullptr && !info->is_null()) {
        fields.refuse("The field 'additionalInfo' is not a JSON object");
    }
    if (const auto good = fields.done(); !good) return good.error();
    return out;
}

result<accounts::submitted_api_key> parse_api_key(const json::object& from) {
    json_fields fields(from);
    accounts::submitted_api_key out;
    out.id = fields.id("id", "API_KEY", false);
    out.user = fields.id("userId", "USER", false);
    out.description = fields.required_text("description");
    out.enabled = fields.boolean("enabled");
    out.expiration_time = fields.integer("expirationTime");
    if (out.expiration_time && *out.expiration_time < 0) {
        fields.refuse(
            "The field 'expirationTime' is negative. It takes milliseconds since 1970, or 0 for never");
    }
    if (const auto good = fields.done(); !good) return good.error();
    return out;
}

}  // namespace gallery::api
