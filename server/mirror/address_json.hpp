// SPDX-License-Identifier: Apache-2.0
/// Addresses of stores in stored JSON objects.
#pragma once

#include "mirror/json_members.hpp"
#include "mirror/state_file.hpp"

#include <optional>
#include <string>
#include <utility>

namespace gallery::mirror {

inline void put_address(boost::json::object& into, const target_address& where) {
    boost::json::object options;
    for (const auto& [name, text] : where.options)
        options[name] = text;
    into["engine"] = where.engine;
    into["path"] = where.path;
    into["options"] = std::move(options);
}

inline std::optional<target_address> address_member(const boost::json::object& from) {
    const auto engine = text_member(from, "engine");
    const auto path = text_member(from, "path");
    const auto* options = from.if_contains("options");
    if (!engine || !path || options == nullptr || !options->is_object()) return std::nullopt;
    target_address out;
    out.engine = *engine;
    out.path = *path;
    for (const auto& each : options->get_object()) {
        if (!each.value().is_string()) return std::nullopt;
        out.options[std::string(each.key())] = std::string(each.value().get_string());
    }
    return out;
}

}  // namespace gallery::mirror
