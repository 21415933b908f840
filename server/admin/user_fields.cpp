// SPDX-License-Identifier: Apache-2.0
#include "admin/user_fields.hpp"

#include <array>

namespace gallery::admin {

namespace {

namespace json = boost::json;

constexpr const char* invited = "invited";

std::string state_of(const json::object& one) {
    const auto* const info = one.if_contains("additionalInfo");
    if (info == nullptr || !info->is_object()) return {};
    const auto is = [info](const char* name) {
        const auto* value = info->get_object().if_contains(name);
        return value != nullptr && *value == true;
    };
    if (!is("userActivated")) return invited;
    return is("userCredentialsEnabled") ? "enabled" : "disabled";
}

std::string name_of(const json::object& one) {
    auto out = text_of(one, "firstName");
    const auto last = text_of(one, "lastName");
    if (!out.empty() && !last.empty()) out += ' ';
    return out + last;
}

constexpr std::array<field, 11> fields{{
    {"id", [](const json::object& one) { return id_of(one); }},
    {"email", [](const json::object& one) { return text_of(one, "email"); }},
    {"role", [](const json::object& one) { return text_of(one, "authority"); }},
    {"state", state_of},
    {"name", name_of},
    {"phone", [](const json::object& one) { return text_of(one, "phone"); }, false},
    {"tenant", [](const json::object& one) { return id_of(one, "tenantId"); }, false},
    {"customer", [](const json::object& one) { return id_of(one, "customerId"); }, false},
    {"created", [](const json::object& one) { return time_of(one, "createdTime"); }},
    {"password", [](const json::object& one) { return text_of(one, "password"); }, false},
    {"activation link", [](const json::object& one) { return text_of(one, "activationLink"); }, false},
}};

}  // namespace

std::span<const field> user_fields() {
    return fields;
}

bool is_invited(const json::object& user) {
    return state_of(user) == invited;
}

}  // namespace gallery::admin
