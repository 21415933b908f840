// SPDX-License-Identifier: Apache-2.0
// Opening and closing a store.
#include <gallery/kit/rules.hpp>
#include "filesystem_store.hpp"
#include "layout.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace gallery::file_store {
namespace {

using level = log_level;

constexpr std::size_t changes_kept = 10'000;
constexpr revision skipped_without_mark = 1'000'000;

error explained(const std::string& path, const error& why) {
    return {why.code, "The store in " + path + " cannot be opened. " + why.message};
}

}  // namespace

filesystem_store::filesystem_store(std::string path, const store_options& options, log_function log)
    : path_(std::move(path)),
      options_(options),
      log_function_(std::move(log)),
      can_exchange_(options.may_exchange),
      feed_(changes_kept),
      stop_([this](std::string_view why) { log_function_(level::error, why); }),
      cache_(options.cache_bytes, options.open_files),
      pool_(options.threads) {}

filesystem_store::~filesystem_store() {
    pool_.join();
    committer_.reset();
    // Where this fails some revisions are skipped at the next start, as after a crash.
    if (numbers_ != nullptr && lock_.get() >= 0) (void)numbers_->close();
}

result<std::unique_ptr<storage_engine>> filesystem_store::open(const std::string& path,
                                                               const store_options& options,
                                                               const log_function& log) {
    auto opened = std::unique_ptr<filesystem_store>(new filesystem_store(path, options, log));
    auto root = open_folder(AT_FDCWD, path);
    if (!root) return explained(path, root.error());
    opened->root_ = std::move(*root);
    if (auto done = opened->lock_and_lay_out(); !done) return explained(path, done.error());
    if (auto done = opened->recover(); !done) return explained(path, done.error());
    return std::unique_ptr<storage_engine>(std::move(opened));
}

result<> filesystem_store::lock_and_lay_out() {
    const int root = root_.get();
    for (const auto folder : {own_folder, accounts_folder, changes_folder})
        if (auto made = make_folder(root, std::string(folder)); !made) return made.error();

    unique_fd lock(
        ::openat(root, std::string(lock_file).c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640));
    if (lock.get() < 0) return failure("Opening " + std::string(lock_file), errno);
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
        return error{errc::unavailable,
                     "Another process has it open. Stop that process, or set another folder in "
                     "STORAGE_PATH."};
    lock_ = std::move(lock);

    if (auto known = check_format(); !known) return known;
    if (auto synced = sync_folder(root, std::string(own_folder)); !synced) return synced;
    return sync_folder(root, ".");
}

result<> filesystem_store::check_format() {
    const int root = root_.get();
    auto format = read_file(root, std::string(format_file));
    if (!format && format.error().code == errc::not_found)
        return replace_file(root, std::string(own_folder), "format", format_text);
    if (!format) return format.error();
    upgrades_ = *format == first_format_text;
    if (upgrades_ || *format == format_text) return {};
    const auto name = format_text.substr(0, format_text.find_last_of(' ') + 1);
    const auto number = format->starts_with(name)
                            ? parse_number(format->substr(name.size(), format->find('\n') - name.size()))
                            : std::nullopt;
    if (number)
        return error{errc::unavailable, "Its format is " + std::to_string(*number) +
                                            ", and this version reads formats up to 2. Use the version that "
                                            "wrote it, or a later one."};
    return error{errc::corrupt, std::string(format_file) + " contains \"" + format->substr(0, 60) +
                                    "\", which is not the format of a filesystem store."};
}

/// One byte, in place: there before or after, whatever happens, and without space. Until then the store is
/// one of format 1, in which nothing of format 2 is written.
result<> filesystem_store::mark_format() {
    const std::string path(format_file);
    const auto digit = format_text.size() - 2;
    const unique_fd file(::openat(root_.get(), path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
    if (file.get() < 0) return failure("Opening " + path, errno);
    if (::pwrite(file.get(), &format_text[digit], 1, static_cast<off_t>(digit)) != 1)
        return failure("Writing to " + path, errno);
    return sync(file.get(), path);
}

/// A kill may have come between a rename and the synchronisation of its folder. From here on the write counts
/// as committed, and later ones synchronise only the folders in which they rename themselves.
result<> filesystem_store::sync_commits(const std::vector<change>& found) {
    std::set<std::string> folders;
    for (const auto& one : found) {
        if (!one.document_kind.empty()) {
            folders.insert({std::string(accounts_folder), accounts_of(one.document_kind)});
            folders.insert({std::string(own_folder), std::string(journal_folder)});
            continue;
        }
        folders.insert({std::string("."), to_string(one.tenant)});
        if (one.what == change::kind::image_saved || one.what == change::kind::image_updated)
            folders.insert(folder_of(one.tenant, one.key));
    }
    for (const auto& folder : folders) {
        // The folder of a kind of which all documents are in a journal may not be there yet, nor that of
        // journals.
        auto synced = sync_folder(root_.get(), folder);
        if (!synced && synced.error().code != errc::not_found) return synced;
    }
    return {};
}

/// The renames are the commits. Those that a crash kept from the log are found by their revisions.
std::vector<change> filesystem_store::changes_after(revision logged, tree_content& tree) {
    std::vector<change> missing;
    std::unordered_map<revision, const kept_version*> kept;  // by the save that kept it
    for (const auto& version : tree.kept) {
        if (version.kept_rev <= logged) continue;
        const auto& record = *version.record;
        if (record.rev == version.kept_rev)
            missing.push_back(
                kit::image_change(change::kind::version_kept, record, version.kept_rev, record.content_rev));
        else if (version.is_erased)
            missing.push_back(
                kit::image_change(change::kind::image_erased, record, version.kept_rev, record.content_rev));
        else
            kept.emplace(version.kept_rev, &version);
    }
    for (auto& erased : tree.erasures)
        if (erased.rev > logged) missing.push_back(std::move(erased));
    for (const auto& record : tree.images) {
        if (record.rev <= logged) continue;
        const bool is_save = record.rev == record.content_rev;
        const auto previous = kept.find(record.rev);
        missing.push_back(kit::image_change(
            is_save ? change::kind::image_saved : change::kind::image_updated, record, record.rev,
            is_save && previous != kept.end() ? previous->second->record->content_rev : 0));
    }
    std::unordered_set<revision> of_groups;
    for (const auto& one : tree.groups)
        for (const auto& part : one->parts) {
            of_groups.insert(part.doc.rev);
            if (part.doc.rev > logged) missing.push_back(change_of(part));
        }
    for (const auto& doc : tree.documents)
        if (doc.rev > logged && !of_groups.contains(doc.rev))
            missing.push_back(kit::document_change(change::kind::document_saved, doc.kind, doc.id, doc.rev));
    std::sort(missing.begin(), missing.end(), [](const auto& a, const auto& b) { return a.rev < b.rev; });
    return missing;
}

void filesystem_store::fill_indexes(tree_content& tree) {
    const lock_guard lock(folders_mutex_);
    catalog_.begin_loading();
    for (auto& record : tree.images) {
        durable_folders_.insert(to_string(record.tenant));
        usage_.apply(record.tenant, kit::usage_book::of_write(nullptr, &record, previous_version::drop()));
        catalog_.load({std::make_shared<const image_record>(std::move(record))});
    }
    catalog_.finish_loading();
    for (auto& version : tree.kept) {
        durable_folders_.insert(to_string(version.record->tenant));
        usage_.apply(version.record->tenant, kit::usage_book::of_keeping(*version.record));
        catalog_.put_kept({std::move(version)});
    }
    for (auto& doc : tree.documents) {
        durable_folders_.insert(accounts_of(doc.kind));
        documents_.put(std::move(doc));
    }
    for (const auto& one : tree.groups) {
        std::vector<std::string> paths;
        for (const auto& part : one->parts) {
            // Its folder may not be there yet.
            durable_folders_.erase(accounts_of(part.doc.kind));
            paths.push_back(path_of(part.doc));
        }
        open_groups_.add(one, paths);
    }
}

result<> filesystem_store::recover() {
    const auto begin = std::chrono::steady_clock::now();
    const int root = root_.get();
    log_ = std::make_unique<change_log>(root, std::string(changes_folder), changes_kept);
    reserve_ = std::make_unique<reserve>(root, std::string(reserve_folder));
    auto numbers = std::make_unique<revisions>(root, std::string(own_folder));
    auto mark = numbers->read();
    if (!mark && mark.error().code != errc::corrupt) return mark.error();
    if (!mark) log_function_(level::warning, mark.error().message + " It will be created again.");
    auto logged = log_->read(feed_);
    if (!logged) return logged.error();
    for (const auto& note : logged->notes)
        log_function_(level::warning, note);

    if (auto opened = reserve_->open(); !opened) return opened;
    const bool has_log = !(logged->has_lost && logged->last == 0);
    const auto known = has_log ? std::optional(logged->last) : std::nullopt;
    auto tree = recovery(root, known, log_function_, [this] { return reserve_->release_one(); }).read();
    if (!tree) return tree.error();
    const auto aside = list_folder(root, std::string(aside_folder));
    if (!aside && aside.error().code != errc::not_found) return aside.error();
    if (aside) set_aside_count_ = aside->size();
    const auto seen = std::max(tree->newest, logged->last);
    const bool is_new = mark && *mark == 0 && seen == 0;
    // Without the mark it is unknown which revisions after the newest trace were assigned.
    const auto newest = mark && (is_new || *mark != 0) ? std::max(seen, *mark) : seen + skipped_without_mark;
    if (logged->has_lost && !is_new && logged->last == 0)
        log_function_(level::warning, "There is no log of changes; readers will see a gap");

    std::vector<change> missing;
    if (has_log) missing = changes_after(logged->last, *tree);
    const auto log_begin = logged->has_lost && logged->last == 0 ? newest : logged->last;
    if (auto begun = log_->begin(log_begin); !begun) return begun;
    if (logged->last == 0) feed_.begin_after(log_begin);
    if (!missing.empty()) {
        if (auto synced = sync_commits(missing); !synced) return synced;
        if (auto appended = log_->append(missing); !appended) return appended;
        for (const auto& one : missing)
            feed_.append(one);
        log_function_(level::info, "added " + std::to_string(missing.size()) +
                                       " committed changes to the log that were missing after a crash");
    }
    for (const auto& path : tree->erased_paths)
        (void)remove_tree(root, path);

    const auto images = tree->images.size();
    const auto documents = tree->documents.size();
    fill_indexes(*tree);

    if (auto begun = numbers->begin(newest); !begun) return begun;
    numbers_ = std::move(numbers);
    committer_ = std::make_unique<committer>(root, *log_, feed_, *numbers_, stop_);
    for (const auto& one : tree->groups)
        if (const auto done = settle(one); !done)
            log_function_(level::warning, "documents of one write are still only in " + one->path + ": " +
                                              done.error().message);
    if (upgrades_) {
        if (auto marked = mark_format(); !marked) return marked;
        log_function_(level::info, "upgraded the store from format 1 to format 2: " + std::to_string(images) +
                                       " images and " + std::to_string(documents) +
                                       " documents. Servers of version 0.1 can no longer open it");
    }
    const auto took =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
    log_function_(level::info, "read " + std::to_string(images) + " images, " +
                                   std::to_string(catalog_.kept_size()) + " kept versions and " +
                                   std::to_string(documents) + " documents in " +
                                   std::to_string(took.count()) + " ms from " + path_);
    return {};
}

}  // namespace gallery::file_store
