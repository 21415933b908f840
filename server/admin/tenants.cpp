// SPDX-License-Identifier: Apache-2.0
// gallery-admin tenant ...
#include "admin/commands.hpp"
#include "admin/lookup.hpp"
#include "admin/saving.hpp"

#include <gallery/uuid.hpp>

#include <array>
#include <utility>

namespace gallery::admin {

namespace {

namespace json = boost::json;

constexpr std::array<field, 9> fields{{
    {"id", [](const json::object& one) { return id_of(one); }},
    {"title", [](const json::object& one) { return text_of(one, "title"); }},
    {"region", [](const json::object& one) { return text_of(one, "region"); }},
    {"email", [](const json::object& one) { return text_of(one, "email"); }},
    {"phone", [](const json::object& one) { return text_of(one, "phone"); }, false},
    {"country", [](const json::object& one) { return text_of(one, "country"); }, false},
    {"city", [](const json::object& one) { return text_of(one, "city"); }, false},
    {"profile", [](const json::object& one) { return id_of(one, "tenantProfileId"); }, false},
    {"created", [](const json::object& one) { return time_of(one, "createdTime"); }},
}};

constexpr auto create_options =
    join(std::array<option, 2>{{{"--profile", "PROFILE", "the tenant profile, by name or id"},
                                {"--region", "TEXT", "region", "region"}}},
         contact_options);
constexpr auto update_options =
    join(std::array<option, 1>{{{"--title", "TITLE", "the new title", "title"}}}, create_options);

/// The reference to the profile that --profile names; empty where it is not given.
outcome<json::object> chosen_profile(session& in) {
    json::object out;
    const auto named = in.given.value("--profile");
    if (!named) return out;
    const auto found = find_profile(in, *named);
    if (!found) return found.error();
    out["tenantProfileId"] = entity("TENANT_PROFILE", id_of(*found));
    return out;
}

outcome<> create(session& in) {
    auto profile = chosen_profile(in);
    if (!profile) return profile.error();
    return create_titled(in, "/api/tenant", fields, std::move(*profile));
}

outcome<> adopt(session& in) {
    const auto id = parse_uuid(in.operand(0));
    if (!id) return usage("'" + in.operand(0) + "' is not the id of a tenant: it is a UUID");
    // The server takes a known id for a change.
    auto known = in.server.get_object("/api/tenant/" + to_string(*id));
    if (known)
        return usage("the tenant " + to_string(*id) + " is here already; see gallery-admin tenant show");
    if (known.error().code != exit_code::not_found) return known.error();
    auto profile = chosen_profile(in);
    if (!profile) return profile.error();
    auto body = std::move(*profile);
    body["id"] = json::object{{"entityType", "TENANT"}, {"id", to_string(*id)}};
    body["title"] = in.operand(1);
    apply_fields(in, body);
    auto made = in.server.post_object("/api/tenant", body);
    if (!made) return made.error();
    in.out.one(*made, fields);
    return {};
}

outcome<> list(session& in) {
    return list_titled(in, "/api/tenants", fields);
}

outcome<> show(session& in) {
    outcome<json::object> found = json::object();
    if (in.has_operand(0)) {
        found = find_tenant(in, in.operand(0));
    } else {
        auto me = in.server.me();
        if (!me) return me.error();
        const auto own = id_of(*me, "tenantId");
        if (own.empty()) return usage("a system administrator has no tenant of its own; name one");
        found = in.server.get_object("/api/tenant/" + own);
    }
    if (!found) return found.error();
    in.out.one(*found, fields);
    return {};
}

outcome<> update(session& in) {
    auto profile = chosen_profile(in);
    if (!profile) return profile.error();
    return update_titled(in, "/api/tenant", find_tenant, fields, std::move(*profile));
}

outcome<> erase(session& in) {
    auto found = find_tenant(in, in.operand(0));
    if (!found) return found.error();
    const auto name = called("tenant", *found, "title");
    if (auto agreed =
            consent(in, "Delete the " + name + " with all of its users, customers, API keys and images?");
        !agreed) {
        return agreed;
    }
    if (auto done = in.server.erase("/api/tenant/" + id_of(*found)); !done) return done.error();
    in.out.done("deleted " + name, *found);
    return {};
}

constexpr std::array<command, 6> commands{{
    {"tenant create", "TITLE", "create a tenant",
     "Each tenant has its own images. Create its first user with\n"
     "gallery-admin user create EMAIL --tenant TITLE.",
     "gallery-admin tenant create 'Acme Water' --country Austria", create_options, create},
    {"tenant adopt", "ID TITLE", "create an account for a tenant of ThingsBoard",
     "For a server with ThingsBoard's signing key. The tenant gets an account with its ID of\n"
     "ThingsBoard. It can then have users and API keys here, and can be deleted. The images\n"
     "that its users uploaded with ThingsBoard's tokens belong to it.",
     "gallery-admin tenant adopt 784f394c-42b6-435a-983c-b7beff2784f9 'Acme Water'", create_options, adopt},
    {"tenant list", "", "list the tenants", "", "gallery-admin tenant list --search acme", list_options,
     list},
    {"tenant show",
     "[TENANT]",
     "show a tenant; without TENANT your own",
     "",
     "gallery-admin tenant show 'Acme Water'",
     {},
     show},
    {"tenant update", "TENANT", "change a tenant's title, profile or contact data",
     "An empty value ('') removes the present one.",
     "gallery-admin tenant update 'Acme Water' --title 'Acme' --phone +43-1-000", update_options, update},
    {"tenant delete", "TENANT", "delete a tenant with all of its data",
     "Its users, customers, API keys and images are deleted with it. This cannot be undone.",
     "gallery-admin tenant delete 'Acme Water' --yes", delete_options, erase},
}};

}  // namespace

std::span<const command> tenant_commands() {
    return commands;
}

}  // namespace gallery::admin
