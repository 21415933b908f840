// SPDX-License-Identifier: Apache-2.0
// gallery-admin customer ...
#include "admin/commands.hpp"
#include "admin/lookup.hpp"
#include "admin/saving.hpp"

#include <array>

namespace gallery::admin {

namespace {

namespace json = boost::json;

constexpr std::array<field, 7> fields{{
    {"id", [](const json::object& one) { return id_of(one); }},
    {"title", [](const json::object& one) { return text_of(one, "title"); }},
    {"email", [](const json::object& one) { return text_of(one, "email"); }},
    {"phone", [](const json::object& one) { return text_of(one, "phone"); }, false},
    {"country", [](const json::object& one) { return text_of(one, "country"); }, false},
    {"city", [](const json::object& one) { return text_of(one, "city"); }, false},
    {"created", [](const json::object& one) { return time_of(one, "createdTime"); }},
}};

constexpr auto update_options =
    join(std::array<option, 1>{{{"--title", "TITLE", "the new title", "title"}}}, contact_options);

outcome<> create(session& in) {
    return create_titled(in, "/api/customer", fields);
}

outcome<> list(session& in) {
    return list_titled(in, "/api/customers", fields);
}

outcome<> show(session& in) {
    auto found = find_customer(in, in.operand(0));
    if (!found) return found.error();
    in.out.one(*found, fields);
    return {};
}

outcome<> update(session& in) {
    return update_titled(in, "/api/customer", find_customer, fields);
}

outcome<> erase(session& in) {
    auto found = find_customer(in, in.operand(0));
    if (!found) return found.error();
    const auto name = called("customer", *found, "title");
    if (auto agreed = consent(in, "Delete the " + name + " with all of its users and their API keys?");
        !agreed) {
        return agreed;
    }
    if (auto done = in.server.erase("/api/customer/" + id_of(*found)); !done) return done.error();
    in.out.done("deleted " + name, *found);
    return {};
}

constexpr std::array<command, 5> commands{{
    {"customer create", "TITLE", "create a customer of your own tenant",
     "Only administrators of a tenant manage its customers.",
     "gallery-admin customer create 'North plant' --city Linz", contact_options, create},
    {"customer list", "", "list the tenant's customers", "", "gallery-admin customer list", list_options,
     list},
    {"customer show",
     "CUSTOMER",
     "show a customer",
     "",
     "gallery-admin customer show 'North plant'",
     {},
     show},
    {"customer update", "CUSTOMER", "change a customer's title or contact data",
     "An empty value ('') removes the present one.",
     "gallery-admin customer update 'North plant' --title 'South plant'", update_options, update},
    {"customer delete", "CUSTOMER", "delete a customer and its users",
     "Its users and their API keys are deleted with it. This cannot be undone.",
     "gallery-admin customer delete 'North plant' --yes", delete_options, erase},
}};

}  // namespace

std::span<const command> customer_commands() {
    return commands;
}

}  // namespace gallery::admin
