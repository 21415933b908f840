// Documents of the accounts.
#include "filesystem_store.hpp"
#include "index/rules.hpp"
#include "layout.hpp"
#include "record_text.hpp"

#include <utility>

namespace gallery::file_store {
namespace {

std::string path_of(const document& doc) {
    return accounts_of(doc.kind) + '/' + document_name(doc.id);
}

}  // namespace

task<result<document>> filesystem_store::find_document(std::string kind, std::string id) {
    auto found = documents_.find(kind, id);
    if (!found) co_return error{errc::not_found, "There is no document " + kind + "/" + id + "."};
    co_return std::move(*found);
}

task<result<scan_page<document>>> filesystem_store::scan_documents(std::string kind, std::string cursor,
                                                                   std::size_t limit) {
    co_return documents_.scan(kind, cursor, limit);
}

task<result<write_outcome>> filesystem_store::save_document(document doc, precondition condition) {
    if (auto wrong = store_index::refuse_document(doc)) co_return std::move(*wrong);
    const auto lane = co_await lanes_.acquire(path_of(doc));
    const auto current = documents_.find(doc.kind, doc.id);
    const auto current_rev = current ? current->rev : 0;
    if (!condition.holds(current_rev)) co_return write_outcome{write_status::conflict, current_rev, nullptr};

    auto stage = [this, doc] { return stage_document(doc); };
    auto ready = co_await offload(pool_, std::move(stage));
    if (!ready) co_return answer_of(ready.error());
    doc.rev = ready->number.rev();
    committer::entry entry{
        store_index::document_change(change::kind::document_saved, doc.kind, doc.id, ready->number.rev()),
        accounts_of(doc.kind), [this, doc] { documents_.put(doc); }, change_log::room::small_write};
    auto committed = co_await committer_->commit(std::move(ready->number), std::move(entry));
    if (!committed) co_return co_await take_back(committed.error(), std::move(ready->undo));
    remove_later(std::move(ready->remains));
    co_return write_outcome{write_status::committed, *committed, nullptr};
}

result<filesystem_store::staged> filesystem_store::stage_document(document doc) {
    const auto folder = accounts_of(doc.kind);
    if (auto ensured = ensure_tenant(folder); !ensured) return ensured.error();
    auto number = committer_->begin();
    if (!number) return number.error();
    doc.rev = number->rev();
    staged ready{std::move(*number), nullptr, {}, {}};
    const auto write = [&] {
        return stage_file(folder, document_name(doc.id), to_document_text(doc), reserve::part::half, ready);
    };
    auto written = write();
    if (!written && written.error().code == errc::not_found) {
        written = ensure_tenant_again(folder);
        if (written) written = write();
    }
    if (!written) return written.error();
    return ready;
}

task<result<write_outcome>> filesystem_store::erase_document(std::string kind, std::string id,
                                                             precondition condition) {
    if (store_index::refuse_document_name(kind, id))
        co_return write_outcome{write_status::absent, 0, nullptr};
    document doc{std::move(kind), std::move(id), {}, 0};
    const auto lane = co_await lanes_.acquire(path_of(doc));
    doc.rev = documents_.find_revision(doc.kind, doc.id);
    if (doc.rev == 0) co_return write_outcome{write_status::absent, 0, nullptr};
    if (!condition.holds(doc.rev)) co_return write_outcome{write_status::conflict, doc.rev, nullptr};

    auto stage = [this, doc] { return stage_document_erasure(doc); };
    auto ready = co_await offload(pool_, std::move(stage));
    if (!ready) co_return answer_of(ready.error());
    committer::entry entry{
        store_index::document_change(change::kind::document_erased, doc.kind, doc.id, ready->number.rev()),
        accounts_of(doc.kind), [this, doc] { documents_.erase(doc.kind, doc.id); },
        change_log::room::erasure};
    auto committed = co_await committer_->commit(std::move(ready->number), std::move(entry));
    if (!committed) co_return co_await take_back(committed.error(), std::move(ready->undo));
    remove_later(std::move(ready->remains));
    co_return write_outcome{write_status::committed, *committed, nullptr};
}

result<filesystem_store::staged> filesystem_store::stage_document_erasure(const document& doc) {
    auto number = committer_->begin();
    if (!number) return number.error();
    const auto folder = accounts_of(doc.kind);
    const auto remains = folder + '/' + erased_name(number->rev(), doc.id);
    staged ready{std::move(*number), nullptr, {}, {}};
    if (auto renamed = stage_removal(folder, path_of(doc), remains, ready); !renamed) return renamed.error();
    return ready;
}

}  // namespace gallery::file_store
