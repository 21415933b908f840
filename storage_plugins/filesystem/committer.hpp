// SPDX-License-Identifier: Apache-2.0
/// Commits writes in batches, in order of revision. committer.cpp describes how.
#pragma once

#include <gallery/kit/feed.hpp>
#include "change_log.hpp"
#include "revisions.hpp"
#include "undoing.hpp"
#include "write_stop.hpp"

#include <gallery/mutex.hpp>
#include <gallery/storage.hpp>
#include <gallery/task.hpp>

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace gallery::file_store {

/// A write takes a revision with begin(), renames its folder or file, and calls commit(). One thread then
/// makes the renames of all waiting writes durable, logs them with one synchronisation, makes them visible
/// and resumes their coroutines. A change becomes visible only after all changes with smaller revisions have
/// ended. Thread-safe.
class committer {
public:
    /// A revision in use. Abandoned when it is destroyed without a commit.
    class ticket {
    public:
        ticket() = default;
        ticket(committer& owner, revision rev) : owner_(&owner), rev_(rev) {}
        ticket(ticket&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)), rev_(other.rev_) {}
        ticket& operator=(ticket&& other) noexcept {
            std::swap(owner_, other.owner_);
            std::swap(rev_, other.rev_);
            return *this;
        }
        ~ticket() {
            if (owner_ != nullptr) owner_->abandon(rev_);
        }
        [[nodiscard]] revision rev() const noexcept { return rev_; }
        revision release() noexcept {
            owner_ = nullptr;
            return rev_;
        }

    private:
        committer* owner_ = nullptr;
        revision rev_ = 0;
    };

    /// The part of a write that runs on the committing thread.
    struct entry {
        std::vector<change>
            changes;         ///< one; of several documents at once as many as the ticket has revisions
        std::string folder;  ///< the folder of the rename
        std::function<void()> publish;  ///< makes it visible; called before the feed shows it
        change_log::room room = change_log::room::image;  ///< of the log, on a full disk
    };

    /// All arguments outlive this object. From now on only it uses the log and the numbers.
    committer(int root, change_log& log, kit::feed& feed, revisions& numbers, write_stop& stop);
    /// Waits for the commits in progress.
    ~committer();

    /// Sometimes blocks to reserve a block of revisions. Errors: read_only once writing has stopped,
    /// busy while an earlier write cannot be undone. The ticket stands for @p count consecutive
    /// revisions.
    result<ticket> begin(std::size_t count = 1);

    /// Returns the first revision. If it fails, the caller must undo the write, which was never visible. A
    /// failed synchronisation stops writing, and all waiting writes fail with io_error.
    task<result<revision>> commit(ticket number, entry what);

    /// For a failed write that could not be undone: each later begin() first tries again.
    void owe(undoing undo);
    /// Tries again to undo such writes. Blocks.
    void settle();

    /// Set before the first write.
    void on_change(std::function<void()> notify) { notify_ = std::move(notify); }

    [[nodiscard]] std::uint64_t commits() const noexcept { return commits_; }
    [[nodiscard]] std::uint64_t batches() const noexcept { return batches_; }

private:
    struct waiting {
        entry what;
        resumption<result<revision>> waiter;
        revision first = 0;
    };
    using batch = std::vector<waiting>;

    void abandon(revision rev);
    result<> settle_owed() GALLERY_REQUIRES(numbers_mutex_);
    void run();
    batch take_batch();
    [[nodiscard]] bool has_work() const GALLERY_REQUIRES(mutex_);
    void finish(batch ready);
    void sync_folders(batch& ready);
    static std::size_t lines_of(const batch& ready);
    template <class Wrong>
    static batch refuse(batch& all, Wrong wrong);
    static void fail(batch refused, const error& why);

    int root_;
    change_log& log_;
    kit::feed& feed_;
    revisions& numbers_;
    write_stop& stop_;
    std::function<void()> notify_;

    mutex mutex_;
    condition_variable wake_;
    /// Empty: begun and not committed yet.
    std::map<revision, std::optional<waiting>> in_flight_ GALLERY_GUARDED_BY(mutex_);
    bool closing_ GALLERY_GUARDED_BY(mutex_) = false;
    mutex numbers_mutex_;  ///< one assignment of revisions at a time; taken before mutex_
    std::vector<undoing> owed_ GALLERY_GUARDED_BY(numbers_mutex_);
    std::atomic<std::uint64_t> commits_ = 0;
    std::atomic<std::uint64_t> batches_ = 0;
    std::thread thread_;
};

}  // namespace gallery::file_store
