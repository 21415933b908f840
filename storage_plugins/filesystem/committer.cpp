// SPDX-License-Identifier: Apache-2.0
// The idea: group commit. A write has synchronised its files, taken a revision, and renamed its folder or
// file into place before it calls commit(). Its rename is not durable yet. One thread takes up to 256 such
// writes from the front of in_flight_, synchronises each folder in which they renamed, appends all changes to
// the log with one synchronisation, publishes the writes, and resumes their coroutines.
//
// The invariants.
//  - in_flight_ contains every revision that was assigned and has not ended, and a batch is a prefix of it.
//    Therefore the feed never shows a revision before a smaller one.
//  - A write becomes visible only after its folder and the log were synchronised.
//  - A failed write is not in the feed and is undone by its caller. If that fails, the undoing is owed:
//    begin() repeats it, and refuses all writes until it succeeds.
//  - After a failed synchronisation no write succeeds until the next start (write_stop).
//
// The cost. A batch costs one fsync per folder and one fdatasync of the log, however many writes it contains.
// A revision that was assigned and not committed delays all later ones, so writes take theirs as late as
// possible.
#include "committer.hpp"

#include "files.hpp"

#include <algorithm>
#include <set>

namespace gallery::file_store {
namespace {

constexpr std::size_t largest_batch = 256;

bool is_erasure(const std::vector<change>& changes) {
    return std::all_of(changes.begin(), changes.end(), [](const change& one) {
        return one.what == change::kind::image_erased || one.what == change::kind::document_erased ||
               one.what == change::kind::version_dropped;
    });
}

/// As a write answers it.
error outcome_unknown(error why) {
    if (why.code == errc::not_found) why.code = errc::io_error;
    if (why.code != errc::unavailable) return why;
    return {errc::io_error, why.message + " The outcome of this write is unknown."};
}

}  // namespace

committer::committer(int root, change_log& log, kit::feed& feed, revisions& numbers, write_stop& stop)
    : root_(root), log_(log), feed_(feed), numbers_(numbers), stop_(stop), thread_([this] { run(); }) {}

committer::~committer() {
    {
        const lock_guard lock(mutex_);
        closing_ = true;
    }
    wake_.notify_one();
    thread_.join();
    const lock_guard lock(numbers_mutex_);
    (void)settle_owed();  // where it still fails, the next start finds the write to be committed
}

result<committer::ticket> committer::begin(std::size_t count) {
    // The order of these two locks is fixed: a revision enters in_flight_ before a larger one is assigned, so
    // none can overtake it.
    const lock_guard one_at_a_time(numbers_mutex_);
    if (stop_.is_set()) return error{errc::read_only, stop_.reason()};
    if (auto settled = settle_owed(); !settled) return settled.error();
    auto rev = numbers_.next(count);
    if (!rev) return rev.error();
    const lock_guard lock(mutex_);
    in_flight_.try_emplace(*rev);
    return ticket(*this, *rev);
}

void committer::abandon(revision rev) {
    {
        const lock_guard lock(mutex_);
        in_flight_.erase(rev);
    }
    wake_.notify_one();
}

task<result<revision>> committer::commit(ticket number, entry what) {
    auto wait = [this, &number, &what](resumption<result<revision>> waiter) {
        const lock_guard lock(mutex_);
        in_flight_[number.rev()].emplace(waiting{std::move(what), std::move(waiter)});
        number.release();
        wake_.notify_one();
    };
    co_return co_await suspend<result<revision>>(std::move(wait));
}

void committer::owe(undoing undo) {
    const lock_guard lock(numbers_mutex_);
    owed_.push_back(std::move(undo));
}

void committer::settle() {
    const lock_guard lock(numbers_mutex_);
    (void)settle_owed();
}

/// The mutex is held, so that no other write renames anything before.
result<> committer::settle_owed() {
    while (!owed_.empty()) {
        if (auto undone = owed_.back()(); !undone) {
            if (undone.error().code == errc::unavailable) {
                stop_.set(undone.error().message);
                return error{errc::read_only, stop_.reason()};
            }
            return error{
                errc::busy,
                "An earlier write failed and cannot be undone yet: " + undone.error().message +
                    " Check the disk of STORAGE_PATH. Each write tries again; no restart is needed."};
        }
        owed_.pop_back();
    }
    return {};
}

/// Whether a batch can be taken; an empty one ends the thread.
bool committer::has_work() const {
    if (in_flight_.empty()) return closing_;
    return in_flight_.begin()->second.has_value();
}

committer::batch committer::take_batch() {
    const lock_guard lock(mutex_);
    while (!has_work())
        wake_.wait(mutex_);
    batch ready;
    while (ready.size() < largest_batch && !in_flight_.empty() && in_flight_.begin()->second) {
        ready.push_back(std::move(*in_flight_.begin()->second));
        in_flight_.erase(in_flight_.begin());
    }
    return ready;
}

void committer::run() {
    for (;;) {
        auto ready = take_batch();
        if (ready.empty()) return;
        ++batches_;
        finish(std::move(ready));
    }
}

std::size_t committer::lines_of(const batch& ready) {
    std::size_t lines = 0;
    for (const auto& one : ready)
        lines += one.what.changes.size();
    return lines;
}

/// Takes those out of @p all for which @p wrong holds.
template <class Wrong>
committer::batch committer::refuse(batch& all, Wrong wrong) {
    const auto rest = std::stable_partition(all.begin(), all.end(), [&](waiting& w) { return !wrong(w); });
    batch refused(std::make_move_iterator(rest), std::make_move_iterator(all.end()));
    all.erase(rest, all.end());
    return refused;
}

void committer::fail(batch refused, const error& why) {
    for (auto& one : refused)
        one.waiter.complete(why);
}

/// Makes the renames of @p ready durable, and fails those for which that does not work.
void committer::sync_folders(batch& ready) {
    std::set<std::string> folders;
    for (const auto& one : ready)
        folders.insert(one.what.folder);
    for (const auto& folder : folders) {
        const auto synced = sync_folder(root_, folder);
        if (synced) continue;
        if (synced.error().code == errc::unavailable) stop_.set(synced.error().message);
        // Another program removed the tenant's folder: entries to be erased in it are gone.
        const bool is_gone = synced.error().code == errc::not_found;
        fail(refuse(ready,
                    [&](const waiting& w) {
                        return w.what.folder == folder && !(is_gone && is_erasure(w.what.changes));
                    }),
             outcome_unknown(synced.error()));
    }
}

void committer::finish(batch ready) {
    if (!stop_.is_set()) sync_folders(ready);
    if (stop_.is_set())
        return fail(std::move(ready),
                    {errc::io_error, stop_.reason() + " The outcome of this write is unknown."});

    using room = change_log::room;
    for (const auto which : {room::image, room::small_write})
        if (!log_.make_room(lines_of(ready), which))
            fail(refuse(ready, [&](const waiting& w) { return w.what.room == which; }),
                 {errc::no_space, "The disk of STORAGE_PATH is full. Erase images or free space on it."});
    if (ready.empty()) return;

    std::vector<change> changes;
    for (const auto& one : ready)
        changes.insert(changes.end(), one.what.changes.begin(), one.what.changes.end());
    if (auto logged = log_.append(changes); !logged) {
        if (logged.error().code == errc::unavailable) stop_.set(logged.error().message);
        return fail(std::move(ready), outcome_unknown(logged.error()));
    }

    for (auto& one : ready) {
        one.first = one.what.changes.front().rev;
        one.what.publish();
        feed_.append(std::move(one.what.changes));
    }
    commits_ += ready.size();
    for (auto& one : ready) {
        if (notify_) notify_();
        one.waiter.complete(one.first);
    }
}

}  // namespace gallery::file_store
