// SPDX-License-Identifier: Apache-2.0
#include "mirror/superseded.hpp"

#include "mirror/json_members.hpp"
#include "mirror/mark.hpp"

#include <utility>
#include <vector>

namespace gallery::mirror {

namespace {

namespace json = boost::json;

constexpr const char* successor_id = "by";

std::string to_json(const successor& value) {
    json::object out;
    out["engine"] = value.engine;
    out["path"] = value.path;
    out["identity"] = value.identity;
    out["since"] = value.since;
    if (!value.node.empty()) out["node"] = value.node;
    return json::serialize(out);
}

document to_document(const successor& value) {
    document out;
    out.kind = superseded_kind;
    out.id = successor_id;
    out.body = to_json(value);
    return out;
}

std::optional<successor> parse_successor(const std::string& text) {
    const auto members = object_in(text);
    if (!members) return std::nullopt;
    const auto engine = text_member(*members, "engine");
    const auto path = text_member(*members, "path");
    const auto identity = text_member(*members, "identity");
    if (!engine || !path || !identity) return std::nullopt;
    return successor{*engine, *path, *identity, number_member(*members, "since").value_or(0),
                     text_member(*members, "node").value_or("")};
}

}  // namespace

successor successor_of(const active_store& decided) {
    return {decided.now.plugin, decided.now.address.path, decided.now.identity, decided.since, {}};
}

task<result<std::optional<successor>>> find_successor(document_store& store) {
    std::string kind(superseded_kind);
    const auto found = co_await store.find(std::move(kind), successor_id);
    if (!found) {
        if (found.error().code == errc::not_found) co_return std::optional<successor>();
        co_return found.error();
    }
    auto value = parse_successor(found->body);
    if (!value) {
        co_return error{
            errc::corrupt,
            "the document superseded/by, which names the store that has taken the place of this one, "
            "cannot be read"};
    }
    co_return std::optional<successor>(std::move(*value));
}

task<result<void>> note_successor(document_store& store, successor next) {
    const auto known = co_await find_successor(store);
    if (known && known->has_value() && **known == next) co_return result<void>();
    if (!known && known.error().code != errc::corrupt) co_return known.error();
    auto doc = to_document(next);
    const auto saved = co_await store.save(std::move(doc), precondition::any());
    if (!saved) co_return saved.error();
    co_return result<void>();
}

document_write require_current() {
    return document_write::require(std::string(superseded_kind), successor_id, precondition::absent());
}

task<result<void>> claim_store(document_store& store, successor next, bool is_target) {
    std::string kind(superseded_kind);
    const auto found = co_await store.find(std::move(kind), successor_id);
    if (!found && found.error().code != errc::not_found) co_return found.error();
    const error busy{errc::busy, "another server switches from or to the store, or has done so"};
    if (found && !is_target) {
        const auto known = parse_successor(found->body);
        if (!known || known->node != next.node) co_return busy;
    }
    auto doc = to_document(next);
    const auto condition = found ? precondition::match(found->rev) : precondition::absent();
    const auto saved = co_await store.save(std::move(doc), condition);
    if (!saved) co_return saved.error();
    if (saved->status != write_status::committed) co_return busy;
    co_return result<void>();
}

task<result<void>> give_back_store(document_store& store, std::string node) {
    std::string kind(superseded_kind);
    const auto found = co_await store.find(std::move(kind), successor_id);
    if (!found && found.error().code == errc::not_found) co_return result<void>();
    if (!found) co_return found.error();
    const auto known = parse_successor(found->body);
    if (!known || known->node.empty() || known->node != node) co_return result<void>();
    kind = superseded_kind;
    const auto erased = co_await store.erase(std::move(kind), successor_id, precondition::match(found->rev));
    if (!erased) co_return erased.error();
    co_return result<void>();
}

task<result<void>> release_store(document_store& store) {
    std::vector<document_write> parts;
    const std::vector<std::pair<std::string, std::string>> names{
        {std::string(mark_kind), mark_id}, {std::string(superseded_kind), successor_id}};
    for (const auto& name : names) {
        std::string kind = name.first;
        std::string id = name.second;
        const auto found = co_await store.find(std::move(kind), std::move(id));
        if (!found && found.error().code != errc::not_found) co_return found.error();
        if (found)
            parts.push_back(document_write::erase(name.first, name.second, precondition::match(found->rev)));
    }
    if (parts.empty()) co_return result<void>();
    const auto erased = co_await store.write(std::move(parts));
    if (!erased) co_return erased.error();
    if (erased->status != write_status::committed) {
        co_return error{errc::version_conflict,
                        "another process writes the documents of the store. Stop it first"};
    }
    co_return result<void>();
}

}  // namespace gallery::mirror
