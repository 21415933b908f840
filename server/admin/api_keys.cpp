// SPDX-License-Identifier: Apache-2.0
// gallery-admin apikey ...
#include "admin/commands.hpp"
#include "admin/lookup.hpp"
#include "admin/saving.hpp"
#include "admin/times.hpp"

#include <gallery/clock.hpp>

#include <array>
#include <chrono>
#include <utility>

namespace gallery::admin {

namespace {

namespace json = boost::json;

std::string state_of(const json::object& one) {
    const auto is = [&one](const char* name) {
        const auto* value = one.if_contains(name);
        return value != nullptr && *value == true;
    };
    if (is("expired")) return "expired";
    return is("enabled") ? "enabled" : "disabled";
}

constexpr std::array<field, 8> fields{{
    {"id", [](const json::object& one) { return id_of(one); }},
    {"description", [](const json::object& one) { return text_of(one, "description"); }},
    {"state", state_of},
    {"expires", [](const json::object& one) { return time_of(one, "expirationTime"); }},
    {"last used", [](const json::object& one) { return time_of(one, "lastUsedTime"); }},
    {"created", [](const json::object& one) { return time_of(one, "createdTime"); }, false},
    {"user", [](const json::object& one) { return id_of(one, "userId"); }, false},
    {"key", [](const json::object& one) { return text_of(one, "value"); }, false},
}};

constexpr std::array<option, 1> user_option{{
    {"--user", "USER", "the key's user, by e-mail address or id; default: yourself"},
}};
constexpr std::array<option, 1> expiry_option{{
    {"--expires", "WHEN", "90d, 12h, 2027-01-31, 2027-01-31T12:00:00Z or never"},
}};
constexpr auto create_options = join(expiry_option, user_option);
constexpr auto list_of_keys_options = join(list_options, user_option);
constexpr auto update_options =
    join(join(std::array<option, 1>{{{"--description", "TEXT", "purpose of the key", "description"}}},
              expiry_option),
         user_option);
constexpr auto delete_key_options = join(delete_options, user_option);

/// Puts --expires into the key's JSON, if it was given. True if it was.
outcome<bool> apply_expiry(const session& in, json::object& to) {
    const auto text = in.given.value("--expires");
    if (!text) return false;
    const auto when = parse_expiry(*text, now_ms());
    if (!when) return usage("--expires: " + when.error().message);
    to["expirationTime"] = *when;
    return true;
}

/// The key in the first operand.
outcome<json::object> named_key(session& in) {
    auto holder = user_or_me(in);
    if (!holder) return holder.error();
    return find_api_key(in, *holder, in.operand(0));
}

outcome<> create(session& in) {
    json::object body;
    body["description"] = in.operand(0);
    if (auto expiry = apply_expiry(in, body); !expiry) return expiry.error();
    auto holder = user_or_me(in);
    if (!holder) return holder.error();
    body["userId"] = entity("USER", id_of(*holder));
    auto made = in.server.post_object("/api/apiKey", body);
    if (!made) return made.error();
    in.out.one(*made, fields);
    in.out.note("The key is printed only once. Programs send it as \"X-Authorization: ApiKey KEY\".");
    return {};
}

outcome<> list(session& in) {
    auto holder = user_or_me(in);
    if (!holder) return holder.error();
    auto all = in.server.list("/api/apiKeys/" + id_of(*holder), "createdTime", in.search());
    if (!all) return all.error();
    in.out.list(*all, fields);
    return {};
}

outcome<> update(session& in) {
    json::object changes;
    const bool described = apply_fields(in, changes) != 0;
    auto expiry = apply_expiry(in, changes);
    if (!expiry) return expiry.error();
    if (!described && !*expiry) return usage("nothing to change: use --description TEXT or --expires WHEN");
    auto found = named_key(in);
    if (!found) return found.error();
    return save_changed(in, "/api/apiKey", std::move(*found), changes, fields);
}

outcome<> switch_to(session& in, const std::string& enabled) {
    auto found = named_key(in);
    if (!found) return found.error();
    auto changed = in.server.put("/api/apiKey/" + id_of(*found) + "/enabled/" + enabled, json::object());
    if (!changed) return changed.error();
    if (changed->is_object()) in.out.one(changed->get_object(), fields);
    return {};
}

outcome<> enable(session& in) {
    return switch_to(in, "true");
}

outcome<> disable(session& in) {
    return switch_to(in, "false");
}

outcome<> erase(session& in) {
    auto found = named_key(in);
    if (!found) return found.error();
    const auto name = called("API key", *found, "description");
    if (auto agreed = consent(in, "Delete the " + name + "? Programs that use it will be refused."); !agreed)
        return agreed;
    if (auto done = in.server.erase("/api/apiKey/" + id_of(*found)); !done) return done.error();
    in.out.done("deleted " + name, *found);
    return {};
}

constexpr std::array<command, 6> commands{{
    {"apikey create", "DESCRIPTION", "create an API key for a device or a script",
     "The key has the rights of its user, except for operations that grant access: creating,\n"
     "changing and enabling keys, setting passwords and e-mail addresses, and creating\n"
     "administrators with the role of its user require a login. The key is printed only once,\n"
     "because the server stores only its hash.",
     "gallery-admin apikey create 'panel in hall 3' --expires 365d", create_options, create},
    {"apikey list", "", "list a user's API keys",
     "The keys themselves are not listed, because the server stores only their hashes.",
     "gallery-admin apikey list --user device@acme.example", list_of_keys_options, list},
    {"apikey update", "KEY", "change an API key's description or expiry",
     "KEY is the key's description or id.", "gallery-admin apikey update 'panel in hall 3' --expires never",
     update_options, update},
    {"apikey enable", "KEY", "enable a disabled API key", "KEY is the key's description or id.",
     "gallery-admin apikey enable 'panel in hall 3'", user_option, enable},
    {"apikey disable", "KEY", "disable an API key from its next request on",
     "KEY is the key's description or id.", "gallery-admin apikey disable 'panel in hall 3'", user_option,
     disable},
    {"apikey delete", "KEY", "delete an API key; it is refused from its next request on",
     "KEY is the key's description or id.", "gallery-admin apikey delete 'panel in hall 3' --yes",
     delete_key_options, erase},
}};

}  // namespace

std::span<const command> api_key_commands() {
    return commands;
}

}  // namespace gallery::admin
