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
    if (!value.replaced.empty()) out["replaced"] = value.replaced;
    return json::serialize(out);
}

document document_of(std::string body) {
    document out;
    out.kind = superseded_kind;
    out.id = successor_id;
    out.body = std::move(body);
    return out;
}

document to_document(const successor& value) {
    return document_of(to_json(value));
}

std::optional<successor> parse_successor(const std::string& text) {
    const auto members = object_in(text);
    if (!members) return std::nullopt;
    const auto engine = text_member(*members, "engine");
    const auto path = text_member(*members, "path");
    const auto identity = text_member(*members, "identity");
    if (!engine || !path || !identity) return std::nullopt;
    return successor{*engine,
                     *path,
                     *identity,
                     number_member(*members, "since").value_or(0),
                     text_member(*members, "node").value_or(""),
                     text_member(*members, "replaced").value_or("")};
}

bool is_claim_of(const std::optional<successor>& known, const std::string& node) {
    return known && !node.empty() && known->node == node;
}

/// Empty if the store has none.
task<result<std::optional<document>>> find_document(document_store& store, std::string kind, std::string id) {
    auto found = co_await store.find(std::move(kind), std::move(id));
    if (found) co_return std::optional<document>(std::move(*found));
    if (found.error().code == errc::not_found) co_return std::optional<document>();
    co_return found.error();
}

task<result<std::optional<document>>> find_text(document_store& store) {
    return find_document(store, std::string(superseded_kind), successor_id);
}

task<result<void>> release(document_store& store, std::optional<revision> known,
                           std::optional<document_write> condition) {
    const error changed{errc::version_conflict,
                        "another process writes the documents of the store. Stop it first"};
    const auto by = co_await find_text(store);
    if (!by) co_return by.error();
    if (known && (*by ? (*by)->rev : 0) != *known) co_return changed;
    std::string kind(mark_kind);
    const auto marked = co_await find_document(store, std::move(kind), mark_id);
    if (!marked) co_return marked.error();
    std::vector<document_write> parts;
    for (const auto* found : {&*marked, &*by}) {
        if (*found)
            parts.push_back(
                document_write::erase((*found)->kind, (*found)->id, precondition::match((*found)->rev)));
    }
    if (parts.empty()) co_return result<void>();
    if (condition) parts.push_back(std::move(*condition));
    const auto erased = co_await store.write(std::move(parts));
    if (!erased) co_return erased.error();
    if (erased->status != write_status::committed) co_return changed;
    co_return result<void>();
}

}  // namespace

successor successor_of(const active_store& decided) {
    return {decided.now.plugin, decided.now.address.path, decided.now.identity, decided.since, {}};
}

task<result<std::optional<stored_successor>>> find_stored_successor(document_store& store) {
    const auto found = co_await find_text(store);
    if (!found) co_return found.error();
    if (!*found) co_return std::optional<stored_successor>();
    auto value = parse_successor((*found)->body);
    if (!value) {
        co_return error{
            errc::corrupt,
            "the document superseded/by, which names the store that has taken the place of this one, "
            "cannot be read"};
    }
    co_return std::optional<stored_successor>(stored_successor{std::move(*value), (*found)->rev});
}

task<result<std::optional<successor>>> find_successor(document_store& store) {
    auto found = co_await find_stored_successor(store);
    if (!found) co_return found.error();
    if (!*found) co_return std::optional<successor>();
    co_return std::optional<successor>(std::move((*found)->value));
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

document_write require_claim(revision rev) {
    return document_write::require(std::string(superseded_kind), successor_id, precondition::match(rev));
}

task<result<revision>> claim_store(document_store& store, successor next, bool is_target) {
    const auto found = co_await find_text(store);
    if (!found) co_return found.error();
    const error busy{errc::busy, "another server switches from or to the store, or has done so"};
    next.replaced.clear();
    auto condition = precondition::absent();
    if (*found) {
        const auto known = parse_successor((*found)->body);
        if (!is_target && !is_claim_of(known, next.node)) co_return busy;
        // A claim is not put back: its server either finds that it is gone, or is gone itself.
        if (is_target) next.replaced = known && !known->node.empty() ? known->replaced : (*found)->body;
        condition = precondition::match((*found)->rev);
    }
    auto doc = to_document(next);
    const auto saved = co_await store.save(std::move(doc), condition);
    if (!saved) co_return saved.error();
    if (saved->status != write_status::committed) co_return busy;
    co_return saved->rev;
}

task<result<revision>> renew_claim(document_store& store, std::string node, revision rev, std::int64_t now) {
    const error taken{errc::version_conflict,
                      "the claim that keeps other servers away from the store during the switch was taken "
                      "away (gallery-admin reinstate)"};
    const auto found = co_await find_text(store);
    if (!found) co_return found.error();
    auto known = *found ? parse_successor((*found)->body) : std::nullopt;
    if (!is_claim_of(known, node) || (*found)->rev != rev) co_return taken;
    known->since = now;
    auto doc = to_document(*known);
    const auto saved = co_await store.save(std::move(doc), precondition::match(rev));
    if (!saved) co_return saved.error();
    if (saved->status != write_status::committed) co_return taken;
    co_return saved->rev;
}

task<result<void>> give_back_store(document_store& store, std::string node) {
    const auto found = co_await find_text(store);
    if (!found) co_return found.error();
    if (!*found) co_return result<void>();
    const auto known = parse_successor((*found)->body);
    if (!is_claim_of(known, node)) co_return result<void>();
    const auto condition = precondition::match((*found)->rev);
    auto part = known->replaced.empty() ? document_write::erase((*found)->kind, (*found)->id, condition)
                                        : document_write::save(document_of(known->replaced), condition);
    std::vector<document_write> parts;
    parts.push_back(std::move(part));
    // After a conflict it is not the claim of the server any more.
    const auto written = co_await store.write(std::move(parts));
    if (!written) co_return written.error();
    co_return result<void>();
}

task<result<void>> release_store(document_store& store) {
    return release(store, std::nullopt, std::nullopt);
}

task<result<void>> release_store(document_store& store, revision known, document_write condition) {
    return release(store, known, std::move(condition));
}

}  // namespace gallery::mirror
