// SPDX-License-Identifier: Apache-2.0
// Recovery of documents, and of writes of several documents (journal.hpp).
#include "recovery.hpp"

#include <gallery/kit/rules.hpp>
#include "files.hpp"
#include "layout.hpp"
#include "names.hpp"
#include "record_text.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace gallery::file_store {
namespace {

constexpr std::size_t largest_journal = std::size_t{8} << 20;

}  // namespace

/// A kind that cannot be read must not count as empty: a server without accounts creates a new administrator.
result<> recovery::read_documents() {
    const auto kinds = list_folder(root_, std::string(accounts_folder));
    if (!kinds) return refusal(kinds.error());
    for (const auto& kind : *kinds) {
        if (!kind.is_folder)
            warn("ignored: " + std::string(accounts_folder) + '/' + kind.name +
                 " is not a folder of documents");
        else if (auto done = read_document_folder(kind.name); !done)
            return done;
    }
    return {};
}

result<> recovery::read_document_folder(const std::string& kind) {
    const auto folder = accounts_of(kind);
    const auto entries = list_folder(root_, folder);
    if (!entries) return refusal(entries.error());
    for (const auto& entry : *entries) {
        if (entry.name.starts_with(temporary_prefix))
            clean(folder + '/' + entry.name);
        else if (auto done = read_document(kind, entry.name); !done)
            return done;
    }
    return {};
}

result<> recovery::read_document(const std::string& kind, const std::string& name) {
    const auto path = accounts_of(kind) + '/' + name;
    const auto text = read_file(root_, path);
    auto doc = text ? parse_document_text(*text) : result<document>(text.error());
    if (!doc && !is_damage(doc.error())) return refusal(doc.error());
    if (const auto rev = erased_revision(name)) {
        const lock_guard lock(mutex_);
        content_.erased_paths.push_back(path);
        content_.newest = std::max(content_.newest, *rev);
        if (doc)
            content_.erasures.push_back(
                kit::document_change(change::kind::document_erased, doc->kind, doc->id, *rev));
        return {};
    }
    if (!doc) return set_aside(path, doc.error().message);
    if (doc->kind != kind || document_name(doc->id) != name)
        return set_aside(path, "it belongs to " + accounts_of(doc->kind) + '/' + document_name(doc->id));
    const lock_guard lock(mutex_);
    content_.documents.push_back(std::move(*doc));
    return {};
}

/// A journal is written and synchronised before it gets its name, so an incomplete one is damaged.
result<> recovery::read_journals() {
    const std::string folder(journal_folder);
    auto entries = list_folder(root_, folder);
    if (!entries && entries.error().code == errc::not_found) return {};
    if (!entries) return refusal(entries.error());
    std::sort(entries->begin(), entries->end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    for (const auto& entry : *entries) {
        const auto path = folder + '/' + entry.name;
        if (entry.name.starts_with(temporary_prefix)) {
            clean(path);
            continue;
        }
        const auto text = read_file(root_, path, largest_journal);
        auto parts = text ? parse_journal_text(*text) : result<std::vector<document_write>>(text.error());
        if (!parts) {
            if (auto aside = set_aside_damaged(path, parts.error()); !aside) return aside;
            continue;
        }
        const lock_guard lock(mutex_);
        overlay(*parts);
        auto one = std::make_shared<group>();
        one->path = path;
        one->parts = std::move(*parts);
        content_.groups.push_back(std::move(one));
    }
    return {};
}

/// Applies the parts of a journal that are newer than the documents' own files.
void recovery::overlay(const std::vector<document_write>& parts) {
    for (const auto& part : parts) {
        auto& all = content_.documents;
        const auto at = std::find_if(all.begin(), all.end(), [&](const document& doc) {
            return doc.kind == part.doc.kind && doc.id == part.doc.id;
        });
        if (at != all.end() && at->rev >= part.doc.rev) continue;
        if (at != all.end()) all.erase(at);
        if (part.what == document_write::action::save) all.push_back(part.doc);
    }
}

}  // namespace gallery::file_store
