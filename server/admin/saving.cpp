// SPDX-License-Identifier: Apache-2.0
#include "admin/saving.hpp"

#include <utility>

namespace gallery::admin {

namespace json = boost::json;

outcome<> save_changed(session& in, const std::string& target, json::object one, const json::object& changes,
                       std::span<const field> fields) {
    for (const auto& [name, value] : changes)
        one[name] = value;
    auto changed = in.server.post_object(target, one);
    if (!changed) return changed.error();
    in.out.one(*changed, fields);
    return {};
}

outcome<> create_titled(session& in, const std::string& target, std::span<const field> fields,
                        json::object body) {
    body["title"] = in.operand(0);
    apply_fields(in, body);
    auto made = in.server.post_object(target, body);
    if (!made) return made.error();
    in.out.one(*made, fields);
    return {};
}

outcome<> list_titled(session& in, const std::string& target, std::span<const field> fields) {
    auto all = in.server.list(target, "title", in.search());
    if (!all) return all.error();
    in.out.list(*all, fields);
    return {};
}

outcome<> update_titled(session& in, const std::string& target,
                        outcome<json::object> (*find)(session&, const std::string&),
                        std::span<const field> fields, json::object changes) {
    apply_fields(in, changes);
    if (changes.empty()) return usage("nothing to change: use for instance --title TITLE");
    auto found = find(in, in.operand(0));
    if (!found) return found.error();
    return save_changed(in, target, std::move(*found), changes, fields);
}

}  // namespace gallery::admin
