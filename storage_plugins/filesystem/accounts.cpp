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

result<> write_document(int root, const document& doc) {
    const auto temporary = accounts_of(doc.kind) + '/' + temporary_name();
    auto written = write_file(root, temporary, std::string_view(to_document_text(doc)));
    if (written) written = rename_over(root, temporary, path_of(doc));
    if (!written) (void)remove_file(root, temporary);
    return written;
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
    if (!ready) co_return ready.error();
    doc.rev = ready->number.rev();
    committer::entry entry{
        store_index::document_change(change::kind::document_saved, doc.kind, doc.id, ready->number.rev()),
        accounts_of(doc.kind), [this, doc] { documents_.put(doc); }};
    auto committed = co_await committer_->commit(std::move(ready->number), std::move(entry));
    if (!committed) {
        auto undo = [this, current, path = path_of(doc)] {
            return current ? write_document(root_.get(), *current) : remove_file(root_.get(), path);
        };
        const auto undone = co_await offload(pool_, std::move(undo));
        co_return after_failure(committed.error(), undone);
    }
    co_return write_outcome{write_status::committed, *committed, nullptr};
}

result<filesystem_store::staged> filesystem_store::stage_document(document doc) {
    if (auto ensured = ensure_tenant(accounts_of(doc.kind)); !ensured) return ensured.error();
    auto number = committer_->begin();
    if (!number) return number.error();
    doc.rev = number->rev();
    if (auto written = write_document(root_.get(), doc); !written) return written.error();
    return staged{std::move(*number), nullptr, {}, {}};
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
    if (!ready) co_return ready.error();
    committer::entry entry{
        store_index::document_change(change::kind::document_erased, doc.kind, doc.id, ready->number.rev()),
        accounts_of(doc.kind), [this, doc] { documents_.erase(doc.kind, doc.id); }};
    auto committed = co_await committer_->commit(std::move(ready->number), std::move(entry));
    if (!committed) {
        auto undo = [this, remains = ready->remains, path = path_of(doc)] {
            return rename_new(root_.get(), remains, path);
        };
        const auto undone = co_await offload(pool_, std::move(undo));
        co_return after_failure(committed.error(), undone);
    }
    remove_later(std::move(ready->remains));
    co_return write_outcome{write_status::committed, *committed, nullptr};
}

result<filesystem_store::staged> filesystem_store::stage_document_erasure(const document& doc) {
    auto number = committer_->begin();
    if (!number) return number.error();
    auto remains = accounts_of(doc.kind) + '/' + erased_name(number->rev(), doc.id);
    if (auto renamed = rename_new(root_.get(), path_of(doc), remains); !renamed) return renamed.error();
    return staged{std::move(*number), nullptr, std::move(remains), {}};
}

}  // namespace gallery::file_store
