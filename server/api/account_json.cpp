// SPDX-License-Identifier: Apache-2.0
#include "api/account_json.hpp"

#include <gallery/email.hpp>

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
    for (const auto& [name, member] : accounts::contact_fields)
        put(out, name, value.*member);
}

std::string read_email(json_fields& from) {
    auto email = from.text("email");
    if (!email.empty() && !is_email_address(email))
        from.refuse("Invalid email address format '" + email + "'!");
    return email;
}

accounts::contact contact_from(json_fields& from) {
    accounts::contact out;
    for (const auto& [name, member] : accounts::contact_fields)
        out.*member = from.text(name);
    out.email = read_email(from);
    return out;
}

json::object entity(std::string_view type, const uuid& id, std::int64_t created_time) {
    json::object out;
    out["id"] = entity_id(type, id);
    out["createdTime"] = created_time;
    return out;
}

void put_title(json::object& out, const std::string& title) {
    out["title"] = title;
    out["name"] = title;
}

void put_owners(json::object& out, const tenant_id& tenant, const std::optional<customer_id>& customer) {
    out["tenantId"] = entity_id("TENANT", tenant.value);
    out["customerId"] = entity_id("CUSTOMER", customer ? customer->value : system_tenant.value);
}

void put_person(json::object& out, const std::string& email, auth::authority role,
                const std::string& first_name, const std::string& last_name) {
    out["email"] = email;
    out["name"] = email;
    out["authority"] = auth::name_of(role);
    put(out, "firstName", first_name);
    put(out, "lastName", last_name);
}

json::value additional_info(const std::string& text) {
    if (text.empty()) return nullptr;
    boost::system::error_code failed;
    auto value = json::parse(text, failed);
    return failed ? json::value(nullptr) : value;
}

}  // namespace

json::object tenant_json(const accounts::tenant& value) {
    auto out = entity("TENANT", value.id.value, value.created_time);
    put_title(out, value.title);
    put(out, "region", value.region);
    put(out, value.reach);
    const auto profile = value.profile ? value.profile->value : system_tenant.value;
    out["tenantProfileId"] = entity_id("TENANT_PROFILE", profile);
    out["version"] = value.version;
    out["additionalInfo"] = additional_info(value.additional_info);
    return out;
}

json::object customer_json(const accounts::customer& value) {
    auto out = entity("CUSTOMER", value.id.value, value.created_time);
    out["tenantId"] = entity_id("TENANT", value.owner.value);
    put_title(out, value.title);
    put(out, value.reach);
    out["version"] = value.version;
    out["additionalInfo"] = additional_info(value.additional_info);
    return out;
}

json::object user_json(const accounts::user& value) {
    auto out = entity("USER", value.id.value, value.created_time);
    put_owners(out, value.owner, value.customer);
    put_person(out, value.email, value.role, value.first_name, value.last_name);
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
    auto out = entity("USER", value.user.value, 0);
    put_owners(out, value.tenant, value.customer);
    put_person(out, value.email, value.role, value.first_name, value.last_name);
    out["additionalInfo"] = nullptr;
    return out;
}

json::object api_key_json(const accounts::api_key& value, std::int64_t now) {
    auto out = entity("API_KEY", value.id.value, value.created_time);
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
    const auto profile = fields.id("tenantProfileId", "TENANT_PROFILE");
    if (profile) out.value.profile = accounts::tenant_profile_id{*profile};
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
    out.value.email = read_email(fields);
    out.value.first_name = fields.text("firstName");
    out.value.last_name = fields.text("lastName");
    out.value.phone = fields.text("phone");
    const auto role_name = fields.text("authority");
    if (role_name.empty()) {
        fields.refuse("User authority isn't defined!");
    } else if (const auto role = auth::parse_authority(role_name)) {
        out.value.role = *role;
    } else {
        fields.refuse("The field 'authority' is '" + role_name.substr(0, 80) + "'. It takes " +
                      auth::authority_names.choices());
    }
    // The members that the server itself adds are not stored: they would contradict the account one day.
    if (const auto* info = from.if_contains("additionalInfo"); info != nullptr && info->is_object()) {
        auto stored = info->get_object();
        stored.erase(enabled_flag);
        stored.erase(activated_flag);
        json::object only;
        only["additionalInfo"] = std::move(stored);
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
