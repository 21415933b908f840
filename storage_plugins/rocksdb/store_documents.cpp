// The documents of the accounts.
#include "codec.hpp"
#include "store.hpp"

namespace gallery::rocks {
namespace {

constexpr std::size_t kind_limit = 32;
constexpr std::size_t id_limit = 128;
constexpr std::size_t document_limit = 64 * 1024;

error damaged(std::string_view key) {
    std::string name(key);
    if (const auto split = name.find('\0'); split != std::string::npos) name[split] = '/';
    return {errc::corrupt, "The document " + name + " is damaged. Restore it from a backup."};
}

}  // namespace

bool is_document_name(std::string_view text, std::size_t most) noexcept {
    return !text.empty() && text.size() <= most && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
}

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

task<result<document>> store::find_document(std::string kind, std::string id) {
    if (!is_document_name(kind, kind_limit) || !is_document_name(id, id_limit))
        co_return error{errc::not_found, "There is no such document."};
    std::string key = document_key(kind, id);
    auto here = guarded([&] { return find_document_here(key, engine::reach::memory); });
    if (here) co_return std::move(*here);
    auto work = [this, key = std::move(key)] {
        return guarded([&]() -> result<document> { return *find_document_here(key, engine::reach::disk); });
    };
    co_return co_await offload(readers_, std::move(work));
}

task<result<scan_page<document>>> store::scan_documents(std::string kind, std::string cursor,
                                                        std::size_t limit) {
    if (limit == 0) co_return error{errc::invalid_argument, "A scan takes a limit of at least 1."};
    if (!cursor.empty() && !is_document_name(cursor, id_limit))
        co_return error{errc::invalid_argument, "The cursor of the scan is not one that a scan returned."};
    if (!is_document_name(kind, kind_limit)) co_return scan_page<document>();
    auto scan = [this, kind = std::move(kind), last = std::move(cursor),
                 limit]() -> result<scan_page<document>> {
        engine::range bounds{document_key(kind, last), after_prefix(document_key(kind, ""))};
        if (!last.empty()) bounds.from.push_back('\0');  // the smallest key behind it
        scan_page<document> page;
        auto at = engine_->iterate(family::documents, std::move(bounds), engine::reach::disk_aside);
        for (at->SeekToFirst(); at->Valid(); at->Next()) {
            if (page.items.size() == limit) {
                page.cursor = page.items.back().id;
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

task<result<write_outcome>> store::save_document(document doc, precondition condition) {
    if (!is_document_name(doc.kind, kind_limit) || !is_document_name(doc.id, id_limit))
        co_return error{
            errc::invalid_argument,
            "Kind and id of a document are made of a-z, 0-9, '_' and '-', at most 32 and 128 of them; "
            "got \"" +
                doc.kind + "\" and \"" + doc.id + "\"."};
    if (doc.body.size() > document_limit)
        co_return error{errc::invalid_argument, "A document has at most 64 KiB; " + doc.kind + "/" + doc.id +
                                                    " has " + std::to_string(doc.body.size()) + " bytes."};
    auto work = [this, doc = std::move(doc), condition]() mutable {
        return guarded([&] { return save_document_now(doc, condition); });
    };
    co_return co_await offload(writers_, std::move(work));
}

result<write_outcome> store::save_document_now(document& doc, precondition condition) {
    const std::string key = document_key(doc.kind, doc.id);
    const auto locked = names_.lock({key});
    const auto before = *find_document_here(key, engine::reach::disk);
    if (!before && before.error().code != errc::not_found) return before.error();
    const revision now = before ? before->rev : 0;
    if (!condition.holds(now)) return write_outcome{write_status::conflict, now, nullptr};

    open_write write(*this);
    doc.rev = write.rev();
    write.batch().Put(engine_->handle(family::documents), key, encode_document(key, doc));
    change event;
    event.what = change::kind::document_saved;
    event.document_kind = doc.kind;
    event.document_id = doc.id;
    const std::string position = change_key(write.rev());
    write.batch().Put(engine_->handle(family::changes), position, encode_change(position, event));
    if (auto committed = engine_->commit(write.batch(), reserve_share::half); !committed)
        return committed.error();
    write.committed();
    return write_outcome{write_status::committed, doc.rev, nullptr};
}

task<result<write_outcome>> store::erase_document(std::string kind, std::string id, precondition condition) {
    if (!is_document_name(kind, kind_limit) || !is_document_name(id, id_limit))
        co_return write_outcome{write_status::absent, 0, nullptr};
    auto work = [this, kind = std::move(kind), id = std::move(id), condition] {
        return guarded([&] { return erase_document_now(kind, id, condition); });
    };
    co_return co_await offload(writers_, std::move(work));
}

result<write_outcome> store::erase_document_now(const std::string& kind, const std::string& id,
                                                precondition condition) {
    const std::string key = document_key(kind, id);
    const auto locked = names_.lock({key});
    const auto before = *find_document_here(key, engine::reach::disk);
    if (!before && before.error().code != errc::not_found) return before.error();
    if (!before) return write_outcome{write_status::absent, 0, nullptr};
    if (!condition.holds(before->rev)) return write_outcome{write_status::conflict, before->rev, nullptr};

    open_write write(*this);
    const revision rev = write.rev();
    write.batch().Delete(engine_->handle(family::documents), key);
    change event;
    event.what = change::kind::document_erased;
    event.document_kind = kind;
    event.document_id = id;
    const std::string position = change_key(rev);
    write.batch().Put(engine_->handle(family::changes), position, encode_change(position, event));
    if (auto committed = engine_->commit(write.batch(), reserve_share::all); !committed)
        return committed.error();
    write.committed();
    return write_outcome{write_status::committed, rev, nullptr};
}

}  // namespace gallery::rocks
