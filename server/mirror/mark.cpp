// SPDX-License-Identifier: Apache-2.0
#include "mirror/mark.hpp"

#include "mirror/json_members.hpp"

#include <gallery/name_table.hpp>

#include <algorithm>
#include <utility>

namespace gallery::mirror {

namespace {

namespace json = boost::json;

constexpr name_table<stage, 5> stage_names{{{
    {stage::documents, "documents"},
    {stage::images, "images"},
    {stage::surplus, "surplus"},
    {stage::kept, "kept"},
    {stage::following, "following"},
}}};

}  // namespace

std::string to_json(const mark& value) {
    json::object out;
    out["source"] = value.source;
    out["sourceId"] = value.source_id;
    out["sourceStart"] = value.source_start;
    out["complete"] = value.is_complete;
    out["damaged"] = value.is_damaged;
    out["stage"] = stage_names.name_of(value.at);
    out["position"] = static_cast<std::int64_t>(value.position);
    out["setAside"] = static_cast<std::int64_t>(value.set_aside);
    out["begunTime"] = value.begun_time;
    out["changedTime"] = value.changed_time;
    return json::serialize(out);
}

document to_document(const mark& value) {
    document out;
    out.kind = std::string(mark_kind);
    out.id = mark_id;
    out.body = to_json(value);
    return out;
}

std::optional<mark> parse_mark(std::string_view text) {
    const auto members = object_in(text);
    if (!members) return std::nullopt;
    const auto source = text_member(*members, "source");
    const auto name = text_member(*members, "stage");
    const auto at = name ? stage_names.find(*name) : std::nullopt;
    const auto position = number_member(*members, "position");
    if (!source || !at || !position || *position < 0) return std::nullopt;
    mark out;
    out.source = *source;
    out.source_id = text_member(*members, "sourceId").value_or("");
    out.source_start = text_member(*members, "sourceStart").value_or("");
    out.is_complete = boolean_member(*members, "complete").value_or(false);
    out.is_damaged = boolean_member(*members, "damaged").value_or(false);
    out.at = *at;
    out.position = static_cast<revision>(*position);
    out.set_aside = static_cast<std::uint64_t>(
        std::max<std::int64_t>(number_member(*members, "setAside").value_or(0), 0));
    out.begun_time = number_member(*members, "begunTime").value_or(0);
    out.changed_time = number_member(*members, "changedTime").value_or(0);
    return out;
}

task<result<std::optional<stored_mark>>> find_mark(document_store& store) {
    std::string kind(mark_kind);
    const auto found = co_await store.find(std::move(kind), mark_id);
    if (!found) {
        if (found.error().code == errc::not_found) co_return std::optional<stored_mark>();
        co_return found.error();
    }
    auto value = parse_mark(found->body);
    if (!value) {
        co_return error{errc::corrupt,
                        "the document mirror/state, which describes of which store this one is a copy, "
                        "cannot be read. Use another folder"};
    }
    co_return std::optional<stored_mark>(stored_mark{std::move(*value), found->rev});
}

task<result<std::string>> take_over(document_store& store) {
    const auto found = co_await find_mark(store);
    if (!found) co_return found.error();
    if (!found->has_value()) co_return std::string();
    const stored_mark& known = **found;
    if (!known.value.is_complete) {
        co_return error{errc::unavailable,
                        "the store is an incomplete copy of " + known.value.source +
                            " and cannot be used. Complete it with gallery-admin copy, or set "
                            "GALLERY_DATA or STORAGE_PATH to another folder"};
    }
    std::string kind(mark_kind);
    const auto erased = co_await store.erase(std::move(kind), mark_id, precondition::match(known.rev));
    if (!erased) {
        const auto& e = erased.error();
        if (e.code != errc::no_space && e.code != errc::read_only) co_return e;
        co_return error{e.code,
                        "the store is a complete copy of " + known.value.source +
                            ", and its mark as a copy cannot be removed: " + e.message +
                            ". A later copy would overwrite what a server writes to it. " +
                            (e.code == errc::no_space ? "Free some space on its disk" : "Make it writable") +
                            " and start again"};
    }
    if (erased->status == write_status::conflict)
        co_return error{errc::version_conflict, "another process copies into the store. Stop it first"};
    co_return known.value.source;
}

}  // namespace gallery::mirror
