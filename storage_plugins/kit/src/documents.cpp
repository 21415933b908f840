// SPDX-License-Identifier: Apache-2.0
#include <gallery/mutex.hpp>

#include <gallery/kit/documents.hpp>

#include <gallery/kit/rules.hpp>

#include <utility>

namespace gallery::kit {
namespace {

constexpr std::string_view cursor_prefix = "after:";

}  // namespace

std::optional<document> documents::find(std::string_view kind, std::string_view id) const {
    const shared_lock lock(mutex_);
    const auto found = documents_.find(name_view{kind, id});
    if (found == documents_.end()) return std::nullopt;
    return found->second;
}

result<document> documents::get(std::string_view kind, std::string_view id) const {
    auto found = find(kind, id);
    if (!found) return no_such_document(kind, id);
    return std::move(*found);
}

revision documents::find_revision(std::string_view kind, std::string_view id) const {
    const shared_lock lock(mutex_);
    const auto found = documents_.find(name_view{kind, id});
    return found == documents_.end() ? 0 : found->second.rev;
}

void documents::put(document doc) {
    const lock_guard lock(mutex_);
    put_locked(std::move(doc));
}

void documents::erase(std::string_view kind, std::string_view id) {
    const lock_guard lock(mutex_);
    erase_locked(kind, id);
}

void documents::apply(std::vector<document_write> parts) {
    const lock_guard lock(mutex_);
    for (auto& part : parts) {
        switch (part.what) {
            case document_write::action::save:
                put_locked(std::move(part.doc));
                break;
            case document_write::action::erase:
                erase_locked(part.doc.kind, part.doc.id);
                break;
            case document_write::action::require:
                break;
        }
    }
}

documents_outcome documents::write(std::vector<document_write> parts, revision& newest,
                                   std::vector<change>& changes) {
    const auto current = [this](const std::string& kind, const std::string& id) {
        return find_revision(kind, id);
    };
    auto outcome = judge(parts, current);
    if (outcome.status != write_status::committed) return outcome;
    for (auto& part : parts) {
        auto& doc = part.doc;
        if (part.what == document_write::action::require) {
            outcome.revs.push_back(current(doc.kind, doc.id));
            continue;
        }
        doc.rev = ++newest;
        outcome.revs.push_back(newest);
        const bool is_saved = part.what == document_write::action::save;
        changes.push_back(
            document_change(is_saved ? change::kind::document_saved : change::kind::document_erased, doc.kind,
                            doc.id, newest));
    }
    apply(std::move(parts));
    return outcome;
}

void documents::put_locked(document doc) {
    name at{doc.kind, doc.id};
    documents_.insert_or_assign(std::move(at), std::move(doc));
}

void documents::erase_locked(std::string_view kind, std::string_view id) {
    const auto found = documents_.find(name_view{kind, id});
    if (found != documents_.end()) documents_.erase(found);
}

result<scan_page<document>> documents::scan(std::string_view kind, std::string_view cursor,
                                            std::size_t limit) const {
    if (limit == 0) return bad_limit();
    name_view after{kind, {}};
    if (!cursor.empty()) {
        const auto slash = cursor.find('/');
        if (!cursor.starts_with(cursor_prefix) || slash == std::string_view::npos)
            return bad_cursor("documents", cursor);
        after.kind = cursor.substr(cursor_prefix.size(), slash - cursor_prefix.size());
        after.id = cursor.substr(slash + 1);
        if (!is_document_kind(after.kind) || !is_document_id(after.id) ||
            (!kind.empty() && kind != after.kind))
            return bad_cursor("documents", cursor);
    }
    scan_page<document> page;
    const shared_lock lock(mutex_);
    auto at = documents_.upper_bound(after);
    const auto is_wanted = [&, end = documents_.end()] {
        return at != end && (kind.empty() || at->second.kind == kind);
    };
    for (; is_wanted() && page.items.size() < limit; ++at)
        page.items.push_back(at->second);
    if (is_wanted()) {
        const auto& last = page.items.back();
        page.cursor = std::string(cursor_prefix) + last.kind + '/' + last.id;
    }
    return page;
}

std::vector<document> documents::all() const {
    std::vector<document> copies;
    const shared_lock lock(mutex_);
    copies.reserve(documents_.size());
    for (const auto& [named, doc] : documents_)
        copies.push_back(doc);
    return copies;
}

std::size_t documents::size() const {
    const shared_lock lock(mutex_);
    return documents_.size();
}

}  // namespace gallery::kit
