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
    return json::serialize(out);
}

std::optional<successor> parse_successor(const std::string& text) {
    json::error_code failed;
    const auto parsed = json::parse(text, failed);
    const auto* members = failed ? nullptr : parsed.if_object();
    if (members == nullptr) return std::nullopt;
    const auto engine = text_member(*members, "engine");
    const auto path = text_member(*members, "path");
    const auto identity = text_member(*members, "identity");
    if (!engine || !path || !identity) return std::nullopt;
    return successor{*engine, *path, *identity, number_member(*members, "since").value_or(0)};
}

}  // namespace

successor successor_of(const active_store& decided) {
    return {decided.now.plugin, decided.now.address.path, decided.now.identity, decided.since};
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
    document doc;
    doc.kind = superseded_kind;
    doc.id = successor_id;
    doc.body = to_json(next);
    const auto saved = co_await store.save(std::move(doc), precondition::any());
    if (!saved) co_return saved.error();
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
