// SPDX-License-Identifier: Apache-2.0
// gallery-admin user ...
#include "admin/commands.hpp"
#include "admin/lookup.hpp"
#include "admin/saving.hpp"
#include "admin/user_fields.hpp"
#include "auth/principal.hpp"

#include <gallery/characters.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace gallery::admin {

namespace {

namespace json = boost::json;

constexpr std::array<option, 3> name_options{{
    {"--first-name", "NAME", "first name", "firstName"},
    {"--last-name", "NAME", "last name", "lastName"},
    {"--phone", "PHONE", "phone number", "phone"},
}};
constexpr std::array<option, 2> role_options{{
    {"--role", "ROLE", "SYS_ADMIN, TENANT_ADMIN or CUSTOMER_USER"},
    {"--customer", "CUSTOMER", "title or id of the user's customer"},
}};
constexpr std::array<option, 1> tenant_option{{
    {"--tenant", "TENANT", "title or id of the tenant, for a system administrator"},
}};
constexpr auto create_options = join(join(join(tenant_option, role_options), password_options), name_options);
constexpr auto update_options =
    join(join(std::array<option, 1>{{{"--email", "EMAIL", "the new e-mail address", "email"}}}, role_options),
         name_options);
constexpr auto list_of_users_options =
    join(join(list_options,
              std::array<option, 1>{{{"--tenant", "TENANT", "only the administrators of this tenant"}}}),
         std::array<option, 1>{{{"--customer", "CUSTOMER", "only the users of this customer"}}});

/// "tenant-admin" is as good as "TENANT_ADMIN".
outcome<std::string> parse_role(std::string text) {
    std::ranges::transform(text, text.begin(), [](char c) { return c == '-' ? '_' : ascii_upper(c); });
    if (auth::parse_authority(text)) return text;
    return usage("--role takes " + auth::authority_names.choices());
}

/// A role that says itself need not be said; that of a tenant's administrator is never guessed from nothing.
outcome<std::string> role_of_new_user(const session& in) {
    if (const auto role = in.given.value("--role")) return parse_role(*role);
    if (in.given.has("--customer")) return std::string("CUSTOMER_USER");
    if (in.given.has("--tenant")) return std::string("TENANT_ADMIN");
    return usage("the user's role is missing: use --customer CUSTOMER, --tenant TENANT, or --role ROLE");
}

outcome<std::string> activation_link_of(session& in, const json::object& user) {
    return in.server.get_text("/api/user/" + id_of(user) + "/activationLink");
}

outcome<> set_password_of(session& in, const json::object& user, const new_password& chosen) {
    json::object body;
    body["password"] = chosen.text;
    auto done = in.server.post("/api/user/" + id_of(user) + "/password", body);
    if (!done) return done.error();
    return {};
}

/// Reports a stored user that cannot log in yet, so that it is not created a second time.
failure half_done(const failure& why, const std::string& email, const std::string& what) {
    auto out = why;
    out.message = "the user " + email + " was created, but " + what + ": " + why.message +
                  ". Continue with gallery-admin user set-password or user activation-link";
    return out;
}

outcome<> create(session& in) {
    auto role = role_of_new_user(in);
    if (!role) return role.error();
    auto password = choose_password(in, ask::never);
    if (!password) return password.error();
    json::object body;
    body["email"] = in.operand(0);
    body["authority"] = *role;
    apply_fields(in, body);
    if (const auto tenant = in.given.value("--tenant")) {
        auto found = find_tenant(in, *tenant);
        if (!found) return found.error();
        body["tenantId"] = entity("TENANT", id_of(*found));
    }
    if (const auto customer = in.given.value("--customer")) {
        auto found = find_customer(in, *customer);
        if (!found) return found.error();
        body["customerId"] = entity("CUSTOMER", id_of(*found));
    }
    auto made = in.server.post_object("/api/user?sendActivationMail=false", body);
    if (!made) return made.error();
    auto shown = *made;
    if (*password) {
        if (auto set = set_password_of(in, *made, **password); !set) {
            return half_done(set.error(), in.operand(0), "has no password yet");
        }
        auto now = in.server.get_object("/api/user/" + id_of(*made));
        if (!now) return half_done(now.error(), in.operand(0), "could not be read again");
        shown = std::move(*now);
        if ((*password)->generated) shown["password"] = (*password)->text;
    } else {
        auto link = activation_link_of(in, *made);
        if (!link) return half_done(link.error(), in.operand(0), "there is no activation link yet");
        shown["activationLink"] = *link;
    }
    in.out.one(shown, user_fields());
    if (!*password) in.out.note("The password is chosen on the page of the activation link.");
    return {};
}

outcome<> list(session& in) {
    if (in.given.has("--tenant") && in.given.has("--customer")) {
        return usage("--tenant and --customer cannot be used together");
    }
    std::string from = "/api/users";
    if (const auto tenant = in.given.value("--tenant")) {
        auto found = find_tenant(in, *tenant);
        if (!found) return found.error();
        from = "/api/tenant/" + id_of(*found) + "/users";
    } else if (const auto customer = in.given.value("--customer")) {
        auto found = find_customer(in, *customer);
        if (!found) return found.error();
        from = "/api/customer/" + id_of(*found) + "/users";
    }
    auto all = in.server.list(from, "email", in.search());
    if (!all) return all.error();
    in.out.list(*all, user_fields());
    return {};
}

outcome<> show(session& in) {
    auto found = find_user(in, in.operand(0));
    if (!found) return found.error();
    in.out.one(*found, user_fields());
    return {};
}

outcome<> update(session& in) {
    json::object changes;
    const auto count = apply_fields(in, changes);
    const auto role = in.given.value("--role");
    const auto customer = in.given.value("--customer");
    if (count == 0 && !role && !customer)
        return usage("nothing to change: use for instance --role ROLE or --last-name NAME");
    if (role) {
        auto parsed = parse_role(*role);
        if (!parsed) return parsed.error();
        changes["authority"] = *parsed;
    }
    if (customer) {
        auto owner = find_customer(in, *customer);
        if (!owner) return owner.error();
        changes["customerId"] = entity("CUSTOMER", id_of(*owner));
    }
    auto found = find_user(in, in.operand(0));
    if (!found) return found.error();
    // An administrator belongs to no customer.
    if (role && !customer && changes["authority"] != "CUSTOMER_USER") found->erase("customerId");
    return save_changed(in, "/api/user?sendActivationMail=false", std::move(*found), changes, user_fields());
}

outcome<> switch_to(session& in, const std::string& enabled) {
    auto found = find_user(in, in.operand(0));
    if (!found) return found.error();
    const auto path = "/api/user/" + id_of(*found);
    auto done =
        in.server.post(path + "/userCredentialsEnabled?userCredentialsEnabled=" + enabled, json::object());
    if (!done) return done.error();
    auto now = in.server.get_object(path);
    if (!now) return now.error();
    in.out.one(*now, user_fields());
    if (enabled == "false" && is_invited(*now)) {
        in.out.note(
            "The previous activation link is no longer valid. gallery-admin user activation-link prints a "
            "new one.");
    }
    return {};
}

outcome<> enable(session& in) {
    return switch_to(in, "true");
}

outcome<> disable(session& in) {
    return switch_to(in, "false");
}

outcome<> set_password(session& in) {
    auto chosen = choose_password(in, ask::on_terminal);
    if (!chosen) return chosen.error();
    auto found = find_user(in, in.operand(0));
    if (!found) return found.error();
    if (auto set = set_password_of(in, *found, **chosen); !set) return set.error();
    auto now = in.server.get_object("/api/user/" + id_of(*found));
    if (!now) return now.error();
    if ((*chosen)->generated) (*now)["password"] = (*chosen)->text;
    in.out.one(*now, user_fields());
    return {};
}

outcome<> activation_link(session& in) {
    auto found = find_user(in, in.operand(0));
    if (!found) return found.error();
    auto link = activation_link_of(in, *found);
    if (!link) return link.error();
    json::object out;
    out["activationLink"] = *link;
    in.out.done(*link, out);
    return {};
}

outcome<> erase(session& in) {
    auto found = find_user(in, in.operand(0));
    if (!found) return found.error();
    const auto name = called("user", *found, "email");
    if (auto agreed = consent(in, "Delete the " + name + " and the API keys of this user?"); !agreed)
        return agreed;
    if (auto done = in.server.erase("/api/user/" + id_of(*found)); !done) return done.error();
    in.out.done("deleted " + name, *found);
    return {};
}

constexpr std::array<command, 9> commands{{
    {"user create", "EMAIL", "create a user, with a password or an activation link",
     "With --password-stdin or --generate-password the user can log in immediately. Otherwise an\n"
     "activation link is printed, where the user chooses a password. Without --role the role is\n"
     "TENANT_ADMIN with --tenant, and CUSTOMER_USER with --customer. Passwords have 6 to 72\n"
     "characters.",
     "gallery-admin user create admin@acme.example --tenant 'Acme Water'\n"
     "printf '%s\\n' \"$PASSWORD\" | gallery-admin user create operator@acme.example \\\n"
     "    --customer 'North plant' --password-stdin",
     create_options, create},
    {"user list", "", "list the users that you manage",
     "A system administrator manages the administrators of the system and of the tenants. A\n"
     "tenant's administrator manages all users of the tenant.",
     "gallery-admin user list --tenant 'Acme Water'", list_of_users_options, list},
    {"user show",
     "USER",
     "show a user",
     "USER is the e-mail address or the id.",
     "gallery-admin user show admin@acme.example",
     {},
     show},
    {"user update", "USER", "change a user's role, customer, name or e-mail address",
     "USER is the e-mail address or the id. A changed role takes effect on the user's\nnext request.",
     "gallery-admin user update operator@acme.example --role TENANT_ADMIN", update_options, update},
    {"user enable",
     "USER",
     "enable a disabled user",
     "USER is the e-mail address or the id.",
     "gallery-admin user enable operator@acme.example",
     {},
     enable},
    {"user disable",
     "USER",
     "disable a user from the next request on",
     "USER is the e-mail address or the id. All sessions end. The activation link of an\n"
     "invited user is no longer valid.",
     "gallery-admin user disable operator@acme.example",
     {},
     disable},
    {"user set-password", "USER", "set a user's password",
     "USER is the e-mail address or the id. All sessions of the user end. Without an option\n"
     "the password is read from the terminal. To change your own, use gallery-admin password.",
     "gallery-admin user set-password operator@acme.example --generate-password", password_options,
     set_password},
    {"user activation-link",
     "USER",
     "print the link where a new user chooses a password",
     "USER is the e-mail address or the id. The link is valid for one day and one use. It begins\n"
     "with the server address of this command, so set --url to the address that the user's\n"
     "browser uses.",
     "gallery-admin user activation-link admin@acme.example --url https://gallery.example",
     {},
     activation_link},
    {"user delete", "USER", "delete a user and the user's API keys",
     "USER is the e-mail address or the id. This cannot be undone.",
     "gallery-admin user delete operator@acme.example --yes", delete_options, erase},
}};

}  // namespace

std::span<const command> user_commands() {
    return commands;
}

}  // namespace gallery::admin
