// SPDX-License-Identifier: Apache-2.0
// Writes of several documents at once.
#include "journal.hpp"

#include "filesystem_store.hpp"
#include "layout.hpp"
#include "record_text.hpp"

#include <gallery/kit/rules.hpp>

#include <algorithm>
#include <set>

namespace gallery::file_store {

change change_of(const document_write& part) {
    return kit::document_change(part.what == document_write::action::save ? change::kind::document_saved
                                                                          : change::kind::document_erased,
                                part.doc.kind, part.doc.id, part.doc.rev);
}

void open_groups::add(const std::shared_ptr<group>& one, const std::vector<std::string>& paths) {
    const lock_guard lock(mutex_);
    for (const auto& path : paths)
        by_path_[path] = one;
}

void open_groups::remove(const std::shared_ptr<group>& one) {
    const lock_guard lock(mutex_);
    std::erase_if(by_path_, [&](const auto& entry) { return entry.second == one; });
}

std::vector<std::shared_ptr<group>> open_groups::of(const std::vector<std::string>& paths) const {
    std::vector<std::shared_ptr<group>> found;
    const lock_guard lock(mutex_);
    if (by_path_.empty()) return found;
    for (const auto& path : paths)
        if (const auto at = by_path_.find(path);
            at != by_path_.end() && std::find(found.begin(), found.end(), at->second) == found.end())
            found.push_back(at->second);
    return found;
}

bool open_groups::contains(const std::string& path) const {
    const lock_guard lock(mutex_);
    return by_path_.contains(path);
}

std::size_t open_groups::size() const {
    std::set<const group*> different;
    const lock_guard lock(mutex_);
    for (const auto& [path, one] : by_path_)
        different.insert(one.get());
    return different.size();
}

/// Writes the journal under its final name; until that is durable and logged the write is not committed.
result<filesystem_store::staged> filesystem_store::stage_group(std::vector<document_write>& parts) {
    const int root = root_.get();
    const bool only_erases = std::all_of(parts.begin(), parts.end(), [](const auto& part) {
        return part.what == document_write::action::erase;
    });
    auto made = with_reserve([&] { return make_folder(root, std::string(journal_folder)); });
    if (!made) return made.error();
    if (*made)
        if (auto synced = sync_folder(root, std::string(own_folder)); !synced) return synced.error();

    auto number = committer_->begin(parts.size());
    if (!number) return number.error();
    for (std::size_t i = 0; i < parts.size(); ++i)
        parts[i].doc.rev = number->rev() + i;
    const auto text = to_journal_text(parts);
    const auto path = journal_path(number->rev());
    const auto temporary = std::string(journal_folder) + '/' + temporary_name();
    const auto write = [&] {
        auto written = write_file(root, temporary, std::string_view(text));
        if (!written) (void)remove_file(root, temporary);
        return written;
    };
    auto written = only_erases ? with_reserve(write) : write();
    if (!written && !only_erases && written.error().code == errc::no_space) {
        // Carrying it out takes as many files again.
        if (reserve_->size() <= reserve::spare_files / 2 + parts.size()) return written.error();
        written = reserve_->write_file(temporary, text, reserve::part::half);
    }
    if (written) written = rename_new(root, temporary, path);
    if (!written) {
        (void)remove_file(root, temporary);
        return written.error();
    }
    staged ready{std::move(*number), nullptr, {}, {}};
    ready.undo.then([root, path] { return remove_file(root, path); });
    ready.undo.then([root] { return sync_folder(root, std::string(journal_folder)); });
    return ready;
}

/// Repeatable. What fails leaves the journal, which is all that a start needs.
result<> filesystem_store::carry_out(group& one) {
    const lock_guard lock(one.mutex);
    if (one.is_done) return {};
    const int root = root_.get();
    std::set<std::string> folders;
    for (const auto& part : one.parts) {
        const auto folder = accounts_of(part.doc.kind);
        const auto path = path_of(part.doc);
        folders.insert(folder);
        if (part.what == document_write::action::erase) {
            if (auto removed = remove_file(root, path); !removed) return removed;
            continue;
        }
        if (auto ensured = ensure_folder(folder); !ensured) return ensured;
        if (!exists(root, folder))
            if (auto ensured = ensure_folder_again(folder); !ensured) return ensured;
        const auto text = to_document_text(part.doc);
        const auto temporary = folder + '/' + temporary_name();
        auto written = write_file(root, temporary, std::string_view(text));
        if (!written && written.error().code == errc::no_space) {
            (void)remove_file(root, temporary);
            written = reserve_->write_file(temporary, text, reserve::part::half);
        }
        if (written) written = with_reserve([&] { return rename_over(root, temporary, path); });
        if (!written) {
            (void)remove_file(root, temporary);
            return written;
        }
    }
    for (const auto& folder : folders) {
        const auto synced = sync_folder(root, folder);
        if (!synced && synced.error().code != errc::not_found) return synced;
    }
    if (auto removed = remove_file(root, one.path); !removed) return removed;
    // A journal that a power cut brings back would undo what is written to its documents from now on.
    if (auto synced = sync_folder(root, std::string(journal_folder)); !synced) return synced;
    one.is_done = true;
    return {};
}

result<> filesystem_store::settle(const std::shared_ptr<group>& one) {
    auto done = carry_out(*one);
    if (!done) {
        if (done.error().code == errc::unavailable) stop_.set(done.error().message);
        return done;
    }
    open_groups_.remove(one);
    (void)reserve_->refill();
    return {};
}

}  // namespace gallery::file_store
