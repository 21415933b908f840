// SPDX-License-Identifier: Apache-2.0
// gallery-admin profile ...: the limits of tenants.
#include "admin/commands.hpp"
#include "admin/lookup.hpp"
#include "admin/saving.hpp"
#include "config/values.hpp"

#include <gallery/uuid.hpp>

#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace gallery::admin {

namespace {

namespace json = boost::json;

constexpr const char* profile_target = "/api/tenantProfile";
constexpr const char* no_limit = "no limit";

constexpr std::string_view image_size = "maxResourceSize";
constexpr std::string_view total_size = "maxResourcesInBytes";
constexpr std::string_view tenant_requests = "tenantServerRestLimitsConfiguration";
constexpr std::string_view customer_requests = "customerServerRestLimitsConfiguration";

/// The object in a member; empty where it is none.
json::object object_in(const json::object& from, std::string_view name) {
    const auto* const value = from.if_contains(name);
    return value != nullptr && value->is_object() ? value->get_object() : json::object();
}

json::object configuration_of(const json::object& profile) {
    return object_in(object_in(profile, "profileData"), "configuration");
}

std::string size_of(const json::object& profile, std::string_view name) {
    const auto bytes = number_of(configuration_of(profile), name);
    return bytes <= 0 ? no_limit : std::to_string(bytes);
}

std::string rates_of(const json::object& profile, std::string_view name) {
    auto rates = text_of(configuration_of(profile), name);
    return rates.empty() ? no_limit : rates;
}

std::string default_of(const json::object& profile) {
    const auto* const value = profile.if_contains("default");
    return value != nullptr && value->is_bool() && value->get_bool() ? "yes" : "no";
}

std::string ignored_of(const json::object& profile) {
    const auto* const value = profile.if_contains("ignoredLimits");
    std::string out;
    if (value == nullptr || !value->is_array()) return out;
    for (const auto& one : value->get_array()) {
        if (one.is_string()) out += (out.empty() ? "" : "; ") + std::string(one.get_string());
    }
    return out;
}

constexpr std::array<field, 10> fields{{
    {"id", [](const json::object& one) { return id_of(one); }},
    {"name", [](const json::object& one) { return text_of(one, "name"); }},
    {"default", default_of},
    {"image size", [](const json::object& one) { return size_of(one, image_size); }},
    {"total size", [](const json::object& one) { return size_of(one, total_size); }},
    {"tenant requests", [](const json::object& one) { return rates_of(one, tenant_requests); }},
    {"customer requests", [](const json::object& one) { return rates_of(one, customer_requests); }},
    {"description", [](const json::object& one) { return text_of(one, "description"); }, false},
    {"created", [](const json::object& one) { return time_of(one, "createdTime"); }, false},
    {"not applied", ignored_of, false},
}};

constexpr std::array<option, 6> set_options{{
    {"--name", "NAME", "the new name", "name"},
    {"--description", "TEXT", "description", "description"},
    {"--image-size", "BYTES", "largest size of one image, for instance 5MB; 0: no limit"},
    {"--total-size", "BYTES", "largest size of all images of a tenant, for instance 10GB; 0: no limit"},
    {"--tenant-requests", "RATES", "requests of a tenant, for instance 100:1,2000:60; '': no limit"},
    {"--customer-requests", "RATES", "requests of each customer of a tenant; '': no limit"},
}};

/// The limits that are given, as members of the configuration.
outcome<json::object> limits_of(const session& in) {
    constexpr std::array sizes{std::pair("--image-size", image_size), std::pair("--total-size", total_size)};
    constexpr std::array rates{std::pair("--tenant-requests", tenant_requests),
                               std::pair("--customer-requests", customer_requests)};
    json::object out;
    for (const auto& [name, member] : sizes) {
        const auto given = in.given.value(name);
        if (!given) continue;
        const auto bytes = config::parse_size(*given);
        if (!bytes) {
            return usage(std::string(name) + ": '" + *given +
                         "' is not a number of bytes or a size such as 5MB; 0 means no limit");
        }
        out[member] = *bytes;
    }
    for (const auto& [name, member] : rates) {
        if (const auto given = in.given.value(name)) out[member] = *given;
    }
    return out;
}

outcome<> list(session& in) {
    const auto all = in.server.list("/api/tenantProfiles", "name", in.search());
    if (!all) return all.error();
    in.out.list(*all, fields);
    return {};
}

outcome<> show(session& in) {
    const auto found = find_profile(in, in.operand(0));
    if (!found) return found.error();
    in.out.one(*found, fields);
    return {};
}

outcome<> set(session& in) {
    json::object changes;
    const auto set_fields = apply_fields(in, changes);
    const auto limits = limits_of(in);
    if (!limits) return limits.error();
    if (set_fields + limits->size() == 0) return usage("nothing to set: use for instance --image-size BYTES");
    const auto& name = in.operand(0);
    auto found = find_profile(in, name);
    const bool is_new = !found && found.error().code == exit_code::not_found && !parse_uuid(name);
    if (!found && !is_new) return found.error();
    auto profile = is_new ? json::object() : std::move(*found);
    if (is_new) profile["name"] = name;
    // The profile keeps all other members, also those that only ThingsBoard interprets.
    auto data = object_in(profile, "profileData");
    auto configuration = object_in(data, "configuration");
    for (const auto& [member, value] : *limits)
        configuration[member] = value;
    data["configuration"] = std::move(configuration);
    changes["profileData"] = std::move(data);
    return save_changed(in, profile_target, std::move(profile), changes, fields);
}

outcome<> make_default(session& in) {
    const auto found = find_profile(in, in.operand(0));
    if (!found) return found.error();
    const auto done =
        in.server.post_object(std::string(profile_target) + "/" + id_of(*found) + "/default", json::object());
    if (!done) return done.error();
    in.out.one(*done, fields);
    return {};
}

constexpr std::array<command, 4> commands{{
    {"profile list", "", "list the tenant profiles",
     "A tenant profile contains the limits of its tenants. Only system administrators\n"
     "manage profiles.",
     "gallery-admin profile list", list_options, list},
    {"profile show",
     "PROFILE",
     "show a tenant profile",
     "\"not applied\" are limits that another version of the server has stored and that\n"
     "this one does not accept. Set them again.",
     "gallery-admin profile show Default",
     {},
     show},
    {"profile set", "PROFILE", "create a tenant profile or change its limits",
     "A profile with an unknown name is created. Limits that are not given stay. They\n"
     "apply to each tenant with the profile, from its next request on. Give it to a\n"
     "tenant with gallery-admin tenant update TENANT --profile PROFILE.",
     "gallery-admin profile set Small --image-size 5MB --total-size 1GB --tenant-requests 100:1", set_options,
     set},
    {"profile default",
     "PROFILE",
     "make a tenant profile the one that new tenants get",
     "Tenants that exist keep their profile.",
     "gallery-admin profile default Small",
     {},
     make_default},
}};

}  // namespace

std::span<const command> profile_commands() {
    return commands;
}

}  // namespace gallery::admin
