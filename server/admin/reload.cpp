// SPDX-License-Identifier: Apache-2.0
// gallery-admin reload: the server reads its configuration file again.
#include "admin/commands.hpp"
#include "admin/session.hpp"

#include <array>

namespace gallery::admin {

namespace {

namespace json = boost::json;

/// Null is the path of a file or folder, which the server does not send.
std::string value_of(const json::object& from, std::string_view name) {
    const auto* value = from.if_contains(name);
    if (value == nullptr) return "";
    return value->is_string() ? "\"" + text_of(from, name) + "\"" : "(a path)";
}

constexpr std::array<field, 4> reload_fields{{
    {"setting", [](const json::object& one) { return text_of(one, "setting"); }},
    {"used", [](const json::object& one) { return text_of(one, "used"); }},
    {"from", [](const json::object& one) { return value_of(one, "from"); }},
    {"to", [](const json::object& one) { return value_of(one, "to"); }},
}};

/// Appends the objects of a list, each with the time from which on it is used.
void add_rows(json::array& rows, const json::object& report, std::string_view name, std::string_view used) {
    const auto* all = report.if_contains(name);
    if (all == nullptr || !all->is_array()) return;
    for (const auto& one : all->get_array()) {
        if (!one.is_object()) continue;
        auto row = one.get_object();
        row["used"] = std::string(used);
        if (const auto variables = text_of(row, "variables"); !variables.empty())
            row["used"] = std::string(used) + " (" + variables + ")";
        rows.push_back(std::move(row));
    }
}

outcome<> reload(session& in) {
    const auto report = in.server.post_object("/api/system/reload", json::object());
    if (!report) return report.error();
    json::array rows;
    add_rows(rows, *report, "changed", "now");
    add_rows(rows, *report, "needsRestart", "after a restart");
    add_rows(rows, *report, "overridden", "never, because of the environment");
    in.out.note(rows.empty() ? "The configuration was reloaded; nothing has changed."
                             : "The configuration was reloaded.");
    in.out.report(*report, rows, reload_fields);
    return {};
}

constexpr std::array<command, 1> commands{{
    {"reload",
     "",
     "let the server read its configuration file again",
     "The server at the URL uses the changed settings that require no restart, and\n"
     "reads the TLS certificate again. The output lists all changed settings, and when\n"
     "they are used. If the file contains an error, nothing is changed, and the command\n"
     "fails. Only system administrators may do this. The signal HUP does the same.",
     "gallery-admin reload",
     {},
     reload},
}};

}  // namespace

std::span<const command> reload_commands() {
    return commands;
}

}  // namespace gallery::admin
