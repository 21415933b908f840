// SPDX-License-Identifier: Apache-2.0
// Documents: one, or several in one atomic step.
#include "filesystem_store.hpp"
#include "layout.hpp"
#include "record_text.hpp"

#include <gallery/kit/rules.hpp>

#include <algorithm>
#include <utility>

namespace gallery::file_store {

task<result<document>> filesystem_store::find(std::string kind, std::string id) {
    co_return documents_.get(kind, id);
}

task<result<scan_page<document>>> filesystem_store::scan(std::string kind, std::string cursor,
                                                         std::size_t limit) {
    co_return documents_.scan(kind, cursor, limit);
}

task<result<documents_outcome>> filesystem_store::write(std::vector<document_write> parts) {
    using action = document_write::action;
    if (auto wrong = kit::refuse_documents(parts)) co_return std::move(*wrong);
    std::vector<std::string> paths;
    for (const auto& part : parts)
        paths.push_back(path_of(part.doc));
    auto names = paths;
    auto held = co_await lanes_.acquire_all(std::move(names));
    const auto current = [this](const std::string& kind, const std::string& id) {
        return documents_.find_revision(kind, id);
    };
    auto judged = kit::judge(parts, current);
    if (judged.status != write_status::committed) co_return judged;
    const auto writes = std::count_if(parts.begin(), parts.end(),
                                      [](const auto& part) { return part.what != action::require; });
    if (writes == 0) {
        for (const auto& part : parts)
            judged.revs.push_back(current(part.doc.kind, part.doc.id));
        co_return judged;
    }
    for (const auto& one : open_groups_.of(paths)) {
        auto work = [this, one] { return settle(one); };
        const auto settled = co_await offload(pool_, std::move(work));
        if (!settled) co_return answer_of(settled.error());
    }
    if (writes > 1) co_return co_await write_group(std::move(parts), std::move(held));
    const auto which = std::find_if(parts.begin(), parts.end(),
                                    [](const auto& part) { return part.what != action::require; });
    const auto index = static_cast<std::size_t>(which - parts.begin());
    co_return co_await write_one(std::move(parts), index);
}

/// Of parts of which all but one only require, the one that writes: its rename is the commit.
task<result<documents_outcome>> filesystem_store::write_one(std::vector<document_write> parts,
                                                            std::size_t which) {
    auto part = parts[which];
    const bool is_save = part.what == document_write::action::save;
    auto stage = [this, doc = part.doc, is_save] {
        return is_save ? stage_document(doc) : stage_document_erasure(doc);
    };
    auto ready = co_await offload(pool_, std::move(stage));
    if (!ready) co_return answer_of(ready.error());
    part.doc.rev = ready->number.rev();
    committer::entry entry{{change_of(part)},
                           accounts_of(part.doc.kind),
                           [this, part, is_save] {
                               if (is_save)
                                   documents_.put(part.doc);
                               else
                                   documents_.erase(part.doc.kind, part.doc.id);
                           },
                           is_save ? change_log::room::small_write : change_log::room::erasure};
    auto committed = co_await committer_->commit(std::move(ready->number), std::move(entry));
    if (!committed) co_return co_await take_back(committed.error(), std::move(ready->undo));
    remove_later(std::move(ready->remains));
    documents_outcome outcome;
    for (std::size_t i = 0; i < parts.size(); ++i)
        outcome.revs.push_back(i == which ? *committed
                                          : documents_.find_revision(parts[i].doc.kind, parts[i].doc.id));
    co_return outcome;
}

/// The journal is the commit. The documents' own files are written afterwards, which @p held waits for.
task<result<documents_outcome>> filesystem_store::write_group(std::vector<document_write> parts,
                                                              std::vector<kit::lanes::guard> held) {
    using action = document_write::action;
    documents_outcome outcome;
    auto one = std::make_shared<group>();
    for (const auto& part : parts) {
        outcome.revs.push_back(documents_.find_revision(part.doc.kind, part.doc.id));
        if (part.what != action::require) one->parts.push_back(part);
    }
    auto stage = [this, one] { return stage_group(one->parts); };
    auto ready = co_await offload(pool_, std::move(stage));
    if (!ready) co_return answer_of(ready.error());
    one->path = journal_path(ready->number.rev());
    committer::entry entry;
    entry.folder = std::string(journal_folder);
    entry.room = change_log::room::erasure;
    std::vector<std::string> paths;
    for (const auto& part : one->parts) {
        entry.changes.push_back(change_of(part));
        paths.push_back(path_of(part.doc));
        if (part.what == action::save) entry.room = change_log::room::small_write;
    }
    entry.publish = [this, one, paths] {
        open_groups_.add(one, paths);
        documents_.apply(one->parts);
    };
    auto committed = co_await committer_->commit(std::move(ready->number), std::move(entry));
    if (!committed) co_return co_await take_back(committed.error(), std::move(ready->undo));
    asio::post(pool_, [this, one, lanes = std::move(held)] {
        if (const auto done = settle(one); !done)
            log_function_(log_level::warning, "documents of one write are still only in " + one->path + ": " +
                                                  done.error().message +
                                                  " The next write of one of them will complete it");
    });
    std::size_t next = 0;
    for (std::size_t i = 0; i < parts.size(); ++i)
        if (parts[i].what != action::require) outcome.revs[i] = one->parts[next++].doc.rev;
    co_return outcome;
}

result<filesystem_store::staged> filesystem_store::stage_document(document doc) {
    const auto folder = accounts_of(doc.kind);
    if (auto ensured = ensure_folder(folder); !ensured) return ensured.error();
    auto number = committer_->begin();
    if (!number) return number.error();
    doc.rev = number->rev();
    staged ready{std::move(*number), nullptr, {}, {}};
    const auto write = [&] {
        return stage_file(folder, document_name(doc.id), to_document_text(doc), reserve::part::half, ready);
    };
    auto written = write();
    if (!written && written.error().code == errc::not_found) {
        written = ensure_folder_again(folder);
        if (written) written = write();
    }
    if (!written) return written.error();
    return ready;
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
