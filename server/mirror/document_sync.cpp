// SPDX-License-Identifier: Apache-2.0
#include "mirror/document_sync.hpp"

#include "mirror/sameness.hpp"

#include <gallery/document_store.hpp>

#include <algorithm>
#include <optional>

namespace gallery::mirror {

namespace {

constexpr int max_group_attempts = 8;

task<result<std::optional<document>>> find(document_store& store, document_name name) {
    auto found = co_await store.find(std::move(name.first), std::move(name.second));
    if (found) co_return std::optional<document>(std::move(*found));
    if (found.error().code == errc::not_found) co_return std::optional<document>();
    co_return found.error();
}

/// Empty if the target is already as the source, or if the document may not be removed.
task<result<std::optional<document_write>>> difference(work& all, document_name name, bool is_erased) {
    const auto known = co_await find(all.to.documents(), name);
    if (!known) co_return of_target(known.error());
    auto found = co_await find(all.from.documents(), name);
    if (!found) co_return of_source(found.error());
    using part = std::optional<document_write>;
    const auto& there = *known;
    if (!*found) {
        if (there && !is_erased) co_return part();  // the feed or the end of the pass decides
        all.clear_damage(item_of_document(name.first, name.second));
        if (!there) co_return part();
        co_return part(document_write::erase(name.first, name.second, precondition::match(there->rev)));
    }
    all.clear_damage(item_of_document(name.first, name.second));
    if (there && there->body == (*found)->body) co_return part();
    auto condition = there ? precondition::match(there->rev) : precondition::absent();
    co_return part(document_write::save(std::move(**found), condition));
}

/// False if the target was written meanwhile.
task<result<bool>> sync_group(work& all, const std::vector<document_name>& names,
                              const std::set<document_name>& erased) {
    std::vector<document_write> parts;
    std::uint64_t erasures = 0;
    for (const auto& name : names) {
        auto part = co_await difference(all, name, erased.contains(name));
        if (!part) co_return part.error();
        if (!*part) continue;
        if ((*part)->what == document_write::action::erase) ++erasures;
        parts.push_back(std::move(**part));
    }
    if (parts.empty()) co_return true;
    const auto count = parts.size();
    std::vector<std::string> items;
    for (const auto& part : parts)
        items.push_back(item_of_document(part.doc.kind, part.doc.id));
    const auto written = co_await all.to.documents().write(std::move(parts));
    if (!written) co_return of_target(written.error());
    if (written->status != write_status::committed) co_return false;
    for (auto& item : items) {
        std::string text = "the " + item + " differed";
        all.note_difference(std::move(item), std::move(text));
    }
    all.done.documents_erased += erasures;
    all.done.documents_written += count - erasures;
    co_return true;
}

}  // namespace

task<result<void>> sync_documents(work& all, std::vector<document_name> names,
                                  std::set<document_name> erased) {
    std::erase_if(names, [](const document_name& name) { return !is_copied(name.first); });
    for (std::size_t at = 0; at < names.size(); at += document_store::max_parts) {
        const auto end = std::min(names.size(), at + document_store::max_parts);
        const std::vector<document_name> group(names.begin() + static_cast<std::ptrdiff_t>(at),
                                               names.begin() + static_cast<std::ptrdiff_t>(end));
        bool is_written = false;
        for (int i = 0; i < max_group_attempts && !is_written; ++i) {
            if (auto may = all.may_go_on(); !may) co_return may.error();
            const auto ended = co_await sync_group(all, group, erased);
            if (!ended) co_return ended.error();
            is_written = *ended;
        }
        if (!is_written) {
            co_return error{errc::version_conflict,
                            "another process writes the documents of the target. Stop it first"};
        }
    }
    co_return result<void>();
}

}  // namespace gallery::mirror
