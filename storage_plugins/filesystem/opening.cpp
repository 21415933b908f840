// Opening and closing a store.
#include "filesystem_store.hpp"
#include "index/rules.hpp"
#include "layout.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <unordered_set>
#include <utility>

namespace gallery::file_store {
namespace {

using level = plugin_context::log_level;

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

result<std::unique_ptr<image_store>> filesystem_store::open(const std::string& path,
                                                            const store_options& options,
                                                            const log_function& log) {
    auto opened = std::unique_ptr<filesystem_store>(new filesystem_store(path, options, log));
    auto root = open_folder(AT_FDCWD, path);
    if (!root) return explained(path, root.error());
    opened->root_ = std::move(*root);
    if (auto done = opened->lock_and_lay_out(); !done) return explained(path, done.error());
    if (auto done = opened->recover(); !done) return explained(path, done.error());
    return std::unique_ptr<image_store>(std::move(opened));
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
                     "Another process has opened it. Stop that one, or name another folder in "
                     "STORAGE_PATH."};
    lock_ = std::move(lock);

    auto format = read_file(root, std::string(format_file));
    if (!format && format.error().code == errc::not_found) {
        if (auto written = replace_file(root, std::string(own_folder), "format", format_text); !written)
            return written;
    } else if (!format) {
        return format.error();
    } else if (*format != format_text) {
        return error{errc::corrupt, "Its format is \"" + format->substr(0, 60) + "\", this version reads \"" +
                                        std::string(format_text) + "\"."};
    }
    if (auto synced = sync_folder(root, std::string(own_folder)); !synced) return synced;
    return sync_folder(root, ".");
}

/// A kill may have come between a rename and the synchronisation of its folder. From here on the write counts
/// as committed, and later ones synchronise only the folders in which they rename themselves.
result<> filesystem_store::sync_commits(const std::vector<change>& found) {
    std::set<std::string> folders;
    for (const auto& one : found) {
        if (!one.document_kind.empty()) {
            folders.insert({std::string(accounts_folder), accounts_of(one.document_kind)});
            continue;
        }
        folders.insert({std::string("."), to_string(one.tenant)});
        if (one.what != change::kind::image_erased) folders.insert(folder_of(one.tenant, one.key));
    }
    for (const auto& folder : folders)
        if (auto synced = sync_folder(root_.get(), folder); !synced) return synced;
    return {};
}

result<> filesystem_store::recover() {
    const auto begin = std::chrono::steady_clock::now();
    const int root = root_.get();
    log_ = std::make_unique<change_log>(root, std::string(changes_folder), changes_kept);
    reserve_ = std::make_unique<reserve>(root, std::string(reserve_folder));
    auto numbers = std::make_unique<revisions>(root, std::string(own_folder));
    auto mark = numbers->read();
    if (!mark && mark.error().code != errc::corrupt) return mark.error();
    if (!mark) log_function_(level::warning, mark.error().message + " It is made anew.");
    auto logged = log_->read(feed_);
    if (!logged) return logged.error();
    for (const auto& note : logged->notes)
        log_function_(level::warning, note);

    if (auto opened = reserve_->open(); !opened) return opened;
    auto tree = recovery(root, log_function_, [this] { return reserve_->release_one(); }).read();
    if (!tree) return tree.error();
    const auto seen = std::max(tree->newest, logged->last);
    const bool is_new = mark && *mark == 0 && seen == 0;
    // Without the mark nobody knows what was given out behind the newest that left a trace.
    const auto newest = mark && (is_new || *mark != 0) ? std::max(seen, *mark) : seen + skipped_without_mark;
    if (logged->has_lost && !is_new && logged->last == 0)
        log_function_(level::warning, "There is no log of changes; readers are told of a gap");

    // The renames are the commits. Those that a crash kept from the log are found by their revisions.
    std::vector<change> missing;
    if (!(logged->has_lost && logged->last == 0)) {
        for (auto& erased : tree->erasures)
            if (erased.rev > logged->last) missing.push_back(std::move(erased));
        for (const auto& record : tree->images)
            if (record.rev > logged->last)
                missing.push_back(store_index::image_change(record.rev == record.content_rev
                                                                ? change::kind::image_saved
                                                                : change::kind::image_updated,
                                                            record, record.rev));
        for (const auto& doc : tree->documents)
            if (doc.rev > logged->last)
                missing.push_back(
                    store_index::document_change(change::kind::document_saved, doc.kind, doc.id, doc.rev));
        std::sort(missing.begin(), missing.end(), [](const auto& a, const auto& b) { return a.rev < b.rev; });
    }
    const auto log_begin = logged->has_lost && logged->last == 0 ? newest : logged->last;
    if (auto begun = log_->begin(log_begin); !begun) return begun;
    if (logged->last == 0) feed_.begin_after(log_begin);
    if (!missing.empty()) {
        if (auto synced = sync_commits(missing); !synced) return synced;
        if (auto appended = log_->append(missing); !appended) return appended;
        for (const auto& one : missing)
            feed_.append(one);
        log_function_(level::info, "added " + std::to_string(missing.size()) +
                                       " committed changes to the log that a crash had kept from it");
    }
    for (const auto& path : tree->erased_paths)
        (void)remove_tree(root, path);

    const auto images = tree->images.size();
    for (auto& record : tree->images) {
        tenants_.insert(to_string(record.tenant));
        catalog_.put({std::make_shared<const image_record>(std::move(record)), nullptr});
    }
    const auto documents = tree->documents.size();
    for (auto& doc : tree->documents) {
        tenants_.insert(accounts_of(doc.kind));
        documents_.put(std::move(doc));
    }

    if (auto begun = numbers->begin(newest); !begun) return begun;
    numbers_ = std::move(numbers);
    committer_ = std::make_unique<committer>(root, *log_, feed_, *numbers_, stop_);
    const auto took =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
    log_function_(level::info, "read " + std::to_string(images) + " images and " + std::to_string(documents) +
                                   " documents in " + std::to_string(took.count()) + " ms from " + path_);
    return {};
}

}  // namespace gallery::file_store
