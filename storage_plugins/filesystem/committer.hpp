// SPDX-License-Identifier: Apache-2.0
/// Puts finished writes into the feed: in order of revision, many at once.
#pragma once

#include <gallery/kit/feed.hpp>
#include "change_log.hpp"
#include "revisions.hpp"
#include "undoing.hpp"
#include "write_stop.hpp"

#include <gallery/storage.hpp>
#include <gallery/task.hpp>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace gallery::file_store {

/// A write takes a revision with begin(), renames its folder or file, and calls commit(). One thread then
/// makes the renames of all that are waiting durable, logs them with one synchronisation, makes them
/// visible and wakes their coroutines. Nobody sees a change before all with smaller revisions have ended.
/// Thread-safe.
class committer {
public:
    /// A revision in use. Given back unused unless committed.
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

    /// What happens to a write on the committing thread.
    struct entry {
        std::vector<change>
            changes;         ///< one; of several documents at once as many as the ticket has revisions
        std::string folder;  ///< where the rename happened
        std::function<void()> publish;  ///< makes it visible; called before the feed shows it
        change_log::room room = change_log::room::image;  ///< of the log, on a full disk
    };

    /// All arguments outlive this; the log and the numbers are its alone from now.
    committer(int root, change_log& log, kit::feed& feed, revisions& numbers, write_stop& stop);
    /// Ends what was committed.
    ~committer();

    /// Blocks now and then to reserve a block of revisions. Errors: read_only once writing has stopped, busy
    /// while an earlier write cannot be taken back.
    /// The ticket stands for @p count revisions that follow each other.
    result<ticket> begin(std::size_t count = 1);

    /// Returns the first revision. Where this fails the write must be undone by the caller: nobody has seen
    /// it. A failed synchronisation stops writing, and all that wait for it fail with io_error.
    task<result<revision>> commit(ticket number, entry what);

    /// For a failed write that could not be taken back: each later begin() tries again, before anything else.
    void owe(undoing undo);

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
    result<> settle_owed();
    void run();
    batch take_batch();
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

    std::mutex mutex_;
    std::condition_variable wake_;
    std::map<revision, std::optional<waiting>> in_flight_;  ///< empty: begun and not committed yet
    bool closing_ = false;
    std::mutex numbers_mutex_;
    std::vector<undoing> owed_;  ///< guarded by numbers_mutex_
    std::atomic<std::uint64_t> commits_ = 0;
    std::atomic<std::uint64_t> batches_ = 0;
    std::thread thread_;
};

}  // namespace gallery::file_store
