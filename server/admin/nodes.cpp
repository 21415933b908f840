// SPDX-License-Identifier: Apache-2.0
// gallery-admin nodes: the servers on the store.
#include "admin/commands.hpp"
#include "admin/session.hpp"

#include <array>

namespace gallery::admin {

namespace {

namespace json = boost::json;

bool is_true(const json::object& from, std::string_view name) {
    const auto* value = from.if_contains(name);
    return value != nullptr && value->is_bool() && value->get_bool();
}

constexpr std::array<field, 6> fields{{
    {"id", [](const json::object& one) { return text_of(one, "id"); }},
    {"address", [](const json::object& one) { return text_of(one, "address"); }},
    {"version", [](const json::object& one) { return text_of(one, "version"); }},
    {"state",
     [](const json::object& one) {
         return std::string(is_true(one, "up") ? (is_true(one, "self") ? "up, answers" : "up") : "missing");
     }},
    {"started", [](const json::object& one) { return time_of(one, "startedTime"); }},
    {"last-seen", [](const json::object& one) { return time_of(one, "lastSeenTime"); }},
}};

outcome<> list(session& in) {
    const auto all = in.server.get("/api/system/nodes");
    if (!all) return all.error();
    if (!all->is_array())
        return failure{exit_code::server_fault, "the server did not send a list of its nodes"};
    in.out.list(all->get_array(), fields);
    return {};
}

constexpr std::array<command, 1> commands{{
    {"nodes",
     "",
     "list the servers on the store",
     "Each server on a shared store reports every ten seconds. A server without a report for\n"
     "half a minute is missing, and after a day it is no longer listed.",
     "gallery-admin nodes",
     {},
     list},
}};

}  // namespace

std::span<const command> node_commands() {
    return commands;
}

}  // namespace gallery::admin
