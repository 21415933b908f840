// SPDX-License-Identifier: Apache-2.0
#include "scrub/saved.hpp"

#include "mirror/json_members.hpp"

#include <gallery/encode.hpp>
#include <gallery/name_table.hpp>
#include <gallery/uuid.hpp>

#include <algorithm>
#include <utility>

namespace gallery::scrub {

namespace {

namespace json = boost::json;
using mirror::boolean_member;
using mirror::number_member;
using mirror::object_in;
using mirror::text_member;

constexpr name_table<stage, 3> stages{
    {{{stage::known, "known"}, {stage::images, "images"}, {stage::kept, "kept"}}}};
constexpr name_table<representation, 2> representations{
    {{{representation::original, "original"}, {representation::preview, "preview"}}}};

/// Texts of engines are bounded, so that the list fits into a document.
constexpr std::size_t longest_problem = 200;

/// At most longest_problem bytes, without a part of a character.
std::string_view shortened(std::string_view text) {
    if (text.size() <= longest_problem) return text;
    auto end = longest_problem;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
        --end;
    return text.substr(0, end);
}

std::uint64_t count_member(const json::object& from, std::string_view name) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(number_member(from, name).value_or(0), 0));
}

json::object to_object(const figures& value) {
    json::object out;
    out["images"] = value.images;
    out["keptVersions"] = value.versions;
    out["bodies"] = value.bodies;
    out["bytes"] = value.bytes;
    out["unnamedDamage"] = value.unnamed;
    out["unread"] = value.unread;
    return out;
}

figures figures_member(const json::object& from, std::string_view name) {
    const auto* value = from.if_contains(name);
    if (value == nullptr || !value->is_object()) return {};
    const auto& members = value->get_object();
    return {count_member(members, "images"),        count_member(members, "keptVersions"),
            count_member(members, "bodies"),        count_member(members, "bytes"),
            count_member(members, "unnamedDamage"), count_member(members, "unread")};
}

json::object to_object(const damaged_body& value) {
    json::object out;
    out["id"] = to_string(value.id);
    out["contentRevision"] = value.content_rev;
    out["body"] = representations.name_of(value.which);
    out["tenant"] = to_string(value.tenant);
    out["key"] = value.key;
    out["problem"] = shortened(value.problem);
    out["found"] = value.found_at;
    return out;
}

std::optional<damaged_body> to_damaged(const json::value& from) {
    const auto* members = from.if_object();
    if (members == nullptr) return std::nullopt;
    const auto id = parse_uuid(text_member(*members, "id").value_or(""));
    const auto tenant = parse_uuid(text_member(*members, "tenant").value_or(""));
    const auto which = representations.find(text_member(*members, "body").value_or(""));
    if (!id || !tenant || !which) return std::nullopt;
    damaged_body out;
    out.id = image_id{*id};
    out.content_rev = count_member(*members, "contentRevision");
    out.which = *which;
    out.tenant = tenant_id{*tenant};
    out.key = text_member(*members, "key").value_or("");
    out.problem = text_member(*members, "problem").value_or("");
    out.found_at = number_member(*members, "found").value_or(0);
    return out;
}

}  // namespace

std::string to_json(const saved_scrub& value) {
    json::object out;
    out["store"] = value.store;
    out["idleSince"] = value.idle_since;
    out["running"] = value.is_running;
    out["started"] = value.started_at;
    out["completed"] = value.completed_at;
    if (value.rate) out["rate"] = *value.rate;
    out["stage"] = stages.name_of(value.at);
    out["cursor"] = hex_encode(value.cursor);  // it may be any bytes
    out["done"] = to_object(value.done);
    out["total"] = to_object(value.total);
    json::array damaged;
    for (const auto& one : value.damage.all())
        damaged.push_back(to_object(one));
    out["damaged"] = std::move(damaged);
    out["problem"] = value.problem;
    out["unread"] = shortened(value.unread);
    return json::serialize(out) + "\n";
}

std::optional<saved_scrub> parse_saved_scrub(std::string_view text) {
    const auto members = object_in(text);
    if (!members) return std::nullopt;
    const auto running = boolean_member(*members, "running");
    const auto at = stages.find(text_member(*members, "stage").value_or(""));
    auto cursor = hex_decode(text_member(*members, "cursor").value_or(""));
    if (!running || !at || !cursor) return std::nullopt;
    saved_scrub out;
    out.store = text_member(*members, "store").value_or("");
    out.idle_since = number_member(*members, "idleSince").value_or(0);
    out.is_running = *running;
    out.started_at = number_member(*members, "started").value_or(0);
    out.completed_at = number_member(*members, "completed").value_or(0);
    if (members->if_contains("rate") != nullptr) out.rate = count_member(*members, "rate");
    out.at = *at;
    out.cursor = std::move(*cursor);
    out.done = figures_member(*members, "done");
    out.total = figures_member(*members, "total");
    std::vector<damaged_body> named;
    if (const auto* list = members->if_contains("damaged"); list != nullptr && list->is_array()) {
        for (const auto& each : list->get_array()) {
            auto one = to_damaged(each);
            if (!one) return std::nullopt;
            named.push_back(std::move(*one));
        }
    }
    out.damage = damage_list(std::move(named));
    out.problem = text_member(*members, "problem").value_or("");
    out.unread = text_member(*members, "unread").value_or("");
    return out;
}

}  // namespace gallery::scrub
