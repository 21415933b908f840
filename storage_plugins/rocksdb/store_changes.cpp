// SPDX-License-Identifier: Apache-2.0
// The change feed: reading it, keeping it short, and telling the listener.
#include "codec.hpp"
#include "store.hpp"

#include <gallery/kit/rules.hpp>

#include <chrono>

namespace gallery::rocks {

task<result<change_batch>> store::changes(revision after, std::size_t limit) {
    if (limit == 0) co_return kit::bad_limit();
    // A reader that is up to date gets its answer without leaving its thread.
    const auto now = std::chrono::steady_clock::now();
    if (after == order_.newest() && after >= trimmed_.load()) {
        change_batch nothing;
        nothing.next = after;
        nothing.horizon = now;
        co_return nothing;
    }
    auto work = [this, after, limit] { return guarded([&] { return changes_now(after, limit); }); };
    co_return co_await offload(readers_, std::move(work));
}

result<change_batch> store::changes_now(revision after, std::size_t limit) const {
    change_batch batch;
    const auto now = std::chrono::steady_clock::now();
    const revision visible = order_.visible();
    // A cursor from the future belongs to another history, for instance one from before a backup was
    // restored.
    if (after > order_.used()) {
        batch.gap = true;
        after = 0;
    }
    batch.next = after;
    if (after >= visible) {
        batch.horizon = now;
        return batch;
    }
    auto at = engine_->iterate(family::changes, {change_key(after + 1), change_key(visible + 1)},
                               engine::reach::disk_aside);
    for (at->SeekToFirst(); at->Valid() && batch.changes.size() < limit; at->Next()) {
        auto event = decode_change(at.key(), at.value());
        if (!event) {
            // The change is lost: readers of the feed must start again, and can continue after it.
            batch.gap = true;
            if (at.key().size() == 8) batch.next = read_big_endian(at.key());
            continue;
        }
        batch.next = event->rev;
        batch.changes.push_back(std::move(*event));
    }
    if (!at->status().ok()) return to_error(at->status(), "reading the change feed");
    if (!at->Valid()) batch.horizon = now;
    // Read after the iterator was made: whatever is missing from it was noted here before it was removed.
    if (after < trimmed_.load()) batch.gap = true;
    return batch;
}

task<result<revision>> store::last() {
    co_return order_.newest();
}

void store::on_change(std::function<void()> notify) {
    notify_ = std::move(notify);
}

void store::changed(bool feed_grew) {
    if (!feed_grew) return;
    if (notify_) notify_();
}

void store::trim_changes() {
    const std::uint64_t kept = options_.changes_kept;
    if (changes_.load(std::memory_order_relaxed) <= kept + kept / 8) return;
    if (!trim_mutex_.try_lock()) return;
    const lock_guard lock(trim_mutex_, std::adopt_lock);
    const std::uint64_t surplus = changes_.load() - kept;
    // The newest change stays: a start compares it with what was acknowledged.
    const revision before = trimmed_.load();
    const revision newest = order_.newest();
    if (newest <= before + 1) return;
    auto at = engine_->iterate(family::changes, {change_key(before + 1), change_key(newest)},
                               engine::reach::disk_aside);
    revision last = 0;
    std::uint64_t passed = 0;
    for (at->SeekToFirst(); at->Valid() && passed < surplus; at->Next(), ++passed)
        last = read_big_endian(at.key());
    if (!at->status().ok() || last == 0) return;
    trimmed_.store(last);
    rocksdb::WriteBatch batch;
    batch.DeleteRange(engine_->handle(family::changes), change_key(0), change_key(last + 1));
    batch.Put(engine_->handle(family::meta), slice(changes_trimmed_key), encode_number(last));
    if (engine_->write_lazily(batch).ok()) {
        changes_.fetch_sub(passed);
    } else {
        // Nothing was removed. The next write tries again.
        trimmed_.store(before);
    }
}

}  // namespace gallery::rocks
