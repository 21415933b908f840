// SPDX-License-Identifier: Apache-2.0
// The documents of the accounts.
#include "codec.hpp"
#include "store.hpp"

#include <gallery/kit/rules.hpp>

namespace gallery::rocks {
namespace {

error damaged(std::string_view key) {
    std::string name(key);
    if (const auto split = name.find('\0'); split != std::string::npos) name[split] = '/';
    return {errc::corrupt, "The document " + name + " is damaged. Restore it from a backup."};
}

}  // namespace

std::optional<result<document>> store::find_document_here(const std::string& key, engine::reach how) const {
    rocksdb::PinnableSlice value;
    const auto status = engine_->get(family::documents, key, value, how);
    if (how == engine::reach::memory && status.IsIncomplete()) return std::nullopt;
    if (status.IsNotFound()) return result<document>(error{errc::not_found, "There is no such document."});
    if (!status.ok()) return result<document>(to_error(status, "reading a document"));
    auto doc = decode_document(key, view(value));
    if (!doc) return result<document>(damaged(key));
    return result<document>(std::move(*doc));
}

task<result<document>> store::find(std::string kind, std::string id) {
    if (!kit::is_document_kind(kind) || !kit::is_document_id(id)) co_return kit::no_such_document(kind, id);
    std::string key = document_key(kind, id);
    auto here = guarded([&] { return find_document_here(key, engine::reach::memory); });
    if (here) co_return std::move(*here);
    auto work = [this, key = std::move(key)] {
        return guarded([&]() -> result<document> { return *find_document_here(key, engine::reach::disk); });
    };
    co_return co_await offload(readers_, std::move(work));
}

task<result<scan_page<document>>> store::scan(std::string kind, std::string cursor, std::size_t limit) {
    if (limit == 0) co_return kit::bad_limit();
    // The document that the scan stopped at: its id, or where all kinds are scanned kind/id.
    std::string last;
    if (!cursor.empty()) {
        const auto split = kind.empty() ? cursor.find('/') : std::string::npos;
        const auto id = split == std::string::npos ? cursor : cursor.substr(split + 1);
        const auto of_kind = kind.empty() ? cursor.substr(0, split == std::string::npos ? 0 : split) : kind;
        if (!kit::is_document_id(id) || (kind.empty() && !kit::is_document_kind(of_kind)))
            co_return kit::bad_cursor("documents", cursor);
        last = document_key(of_kind, id);
    }
    if (!kind.empty() && !kit::is_document_kind(kind)) co_return scan_page<document>();
    auto scan = [this, kind = std::move(kind), last = std::move(last),
                 limit]() -> result<scan_page<document>> {
        engine::range bounds;
        if (!kind.empty()) bounds = {document_key(kind, ""), after_prefix(document_key(kind, ""))};
        if (!last.empty()) bounds.from = last + '\0';  // the smallest key behind it
        scan_page<document> page;
        auto at = engine_->iterate(family::documents, std::move(bounds), engine::reach::disk_aside);
        for (at->SeekToFirst(); at->Valid(); at->Next()) {
            if (page.items.size() == limit) {
                const auto& stopped = page.items.back();
                page.cursor = kind.empty() ? stopped.kind + "/" + stopped.id : stopped.id;
                break;
            }
            auto doc = decode_document(at.key(), at.value());
            if (!doc) return damaged(at.key());
            page.items.push_back(std::move(*doc));
        }
        if (!at->status().ok()) return to_error(at->status(), "reading documents");
        return page;
    };
    auto work = [scan = std::move(scan)] { return guarded([&] { return scan(); }); };
    co_return co_await offload(readers_, std::move(work));
}

task<result<documents_outcome>> store::write(std::vector<document_write> parts) {
    if (auto wrong = kit::refuse_documents(parts)) co_return std::move(*wrong);
    auto work = [this, parts = std::move(parts)]() mutable {
        return guarded([&] { return write_now(parts); });
    };
    co_return co_await offload(writers_, std::move(work));
}

result<documents_outcome> store::write_now(std::vector<document_write>& parts) {
    std::vector<std::string> keys;
    keys.reserve(parts.size());
    for (const auto& part : parts)
        keys.push_back(document_key(part.doc.kind, part.doc.id));
    const auto locked = names_.lock({keys.begin(), keys.end()});
    std::vector<revision> current;
    current.reserve(parts.size());
    for (const auto& key : keys) {
        const auto found = *find_document_here(key, engine::reach::disk);
        if (!found && found.error().code != errc::not_found) return found.error();
        current.push_back(found ? found->rev : 0);
    }
    // judge() asks once for each part, in order, and stops at the first that does not hold.
    std::size_t asked = 0;
    auto outcome =
        kit::judge(parts, [&](const std::string&, const std::string&) { return current[asked++]; });
    if (outcome.status != write_status::committed) return outcome;

    const auto is_write = [](const document_write& part) {
        return part.what != document_write::action::require;
    };
    const auto written = static_cast<std::size_t>(std::count_if(parts.begin(), parts.end(), is_write));
    if (written == 0) {
        outcome.revs = std::move(current);
        return outcome;
    }
    const bool only_erases = std::none_of(parts.begin(), parts.end(), [](const document_write& part) {
        return part.what == document_write::action::save;
    });
    open_write write(*this, written);
    auto& batch = write.batch();
    auto* const documents = engine_->handle(family::documents);
    revision next = write.rev();
    for (std::size_t i = 0; i < parts.size(); ++i) {
        auto& part = parts[i];
        if (!is_write(part)) {
            outcome.revs.push_back(current[i]);
            continue;
        }
        const bool saves = part.what == document_write::action::save;
        part.doc.rev = next;
        if (saves)
            batch.Put(documents, keys[i], encode_document(keys[i], part.doc));
        else
            batch.Delete(documents, keys[i]);
        put_change(batch,
                   kit::document_change(saves ? change::kind::document_saved : change::kind::document_erased,
                                        part.doc.kind, part.doc.id, next));
        outcome.revs.push_back(next++);
    }
    const auto share = only_erases ? reserve_share::all : reserve_share::half;
    if (auto committed = engine_->commit(batch, share); !committed) return committed.error();
    write.committed();
    return outcome;
}

}  // namespace gallery::rocks
