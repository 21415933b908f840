// SPDX-License-Identifier: Apache-2.0
#include "admin/lookup.hpp"

#include <gallery/text.hpp>
#include <gallery/uuid.hpp>

#include <functional>
#include <vector>

namespace gallery::admin {

namespace {

namespace json = boost::json;

/// The only one of @p all that @p matches.
outcome<json::object> only(const json::array& all, const std::function<bool(const json::object&)>& matches,
                           const std::string& what) {
    std::vector<const json::object*> found;
    for (const auto& one : all) {
        if (matches(one.get_object())) found.push_back(&one.get_object());
    }
    if (found.size() == 1) return *found.front();
    if (found.empty()) return failure{exit_code::not_found, "there is no " + what};
    std::string message = "there are " + std::to_string(found.size()) + " with the name of " + what +
                          "; select one by its id: ";
    for (const auto* one : found)
        message += (one == found.front() ? "" : ", ") + id_of(*one);
    return failure{exit_code::not_found, message};
}

std::string quoted(std::string_view kind, std::string_view name) {
    return std::string(kind) + " '" + std::string(name) + "'";
}

std::string folded(const std::string& text) {
    return is_utf8(text) ? fold_case(text) : text;
}

/// @p property: which contains the name.
outcome<json::object> by_name(session& in, const std::string& name, const std::string& list,
                              std::string_view property, std::string_view kind) {
    auto all = in.server.list(list, property, name);
    if (!all) return all.error();
    return only(
        *all, [&](const json::object& one) { return text_of(one, property) == name; }, quoted(kind, name));
}

}  // namespace

outcome<json::object> find_tenant(session& in, const std::string& title_or_id) {
    if (parse_uuid(title_or_id)) return in.server.get_object("/api/tenant/" + title_or_id);
    const auto me = in.server.me();
    if (!me) return me.error();
    if (text_of(*me, "authority") != "TENANT_ADMIN")
        return by_name(in, title_or_id, "/api/tenants", "title", "tenant");
    // A user who may not list tenants can still name the own one.
    auto own = in.server.get_object("/api/tenant/" + id_of(*me, "tenantId"));
    if (own && text_of(*own, "title") != title_or_id) {
        return failure{exit_code::not_found, "there is no " + quoted("tenant", title_or_id) + " that " +
                                                 text_of(*me, "email") + " may see"};
    }
    return own;
}

outcome<json::object> find_customer(session& in, const std::string& title_or_id) {
    if (parse_uuid(title_or_id)) return in.server.get_object("/api/customer/" + title_or_id);
    return by_name(in, title_or_id, "/api/customers", "title", "customer");
}

outcome<json::object> find_profile(session& in, const std::string& name_or_id) {
    if (parse_uuid(name_or_id)) return in.server.get_object("/api/tenantProfile/" + name_or_id);
    return by_name(in, name_or_id, "/api/tenantProfiles", "name", "tenant profile");
}

outcome<json::object> find_user(session& in, const std::string& email_or_id) {
    if (parse_uuid(email_or_id)) return in.server.get_object("/api/user/" + email_or_id);
    auto all = in.server.list("/api/users", "email", email_or_id);
    if (!all) return all.error();
    const auto me = in.server.me();
    if (!me) return me.error();
    // System administrators manage the tenants' administrators, who manage their customers' users.
    return only(
        *all, [&](const json::object& one) { return folded(text_of(one, "email")) == folded(email_or_id); },
        quoted("user", email_or_id) + " that " + text_of(*me, "email") + " manages");
}

outcome<json::object> find_api_key(session& in, const json::object& holder,
                                   const std::string& description_or_id) {
    auto all = in.server.list("/api/apiKeys/" + id_of(holder), "createdTime", "");
    if (!all) return all.error();
    const auto id = parse_uuid(description_or_id);
    return only(
        *all,
        [&](const json::object& one) {
            return id ? id_of(one) == to_string(*id) : text_of(one, "description") == description_or_id;
        },
        quoted("API key", description_or_id) + " of " + text_of(holder, "email"));
}

outcome<json::object> user_or_me(session& in) {
    if (const auto named = in.given.value("--user")) return find_user(in, *named);
    return in.server.me();
}

std::string called(std::string_view kind, const json::object& one, std::string_view name) {
    return std::string(kind) + " '" + text_of(one, name) + "' (" + id_of(one) + ")";
}

}  // namespace gallery::admin
