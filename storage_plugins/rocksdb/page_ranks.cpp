// SPDX-License-Identifier: Apache-2.0
// The idea. The entries of a list are stored in the index family in the order of the list, so a page is one
// range of keys. Only the key at a given position is missing. For each list that was asked for a late page,
// this class keeps every 256th key (an anchor) and the number of entries from there to the next anchor (a
// stretch). The sum of the counts before an anchor is the anchor's position. A page therefore begins in a
// known stretch.
//
// The invariant. counts[i] is the number of entries from anchors[i] up to anchors[i + 1], over all settled
// writes. The first anchor is the list's prefix, which is less than every key. A write announces its keys
// before it commits and settles them afterwards. announce(), settle() and the snapshot in open() hold mutex_,
// so a settled write is in the snapshot. For a write that is announced and not settled, open() looks up its
// keys in the snapshot and corrects the counts. Therefore the counts always belong to exactly the snapshot
// that is returned.
//
// A build reads the list at a snapshot, without the mutex. Writes that settle meanwhile are collected in
// `late` and applied at the end, except those that the snapshot already contained. If the outcome of a write
// is unknown, the list is forgotten, or its build is repeated.
//
// The cost. A build reads all keys of the list once. A write needs a binary search per entry; every 256th
// entry at the end of a list also copies the vector of anchors, because readers share it. open() adds up the
// counts, one per 256 entries, and makes one look-up per announced key of the list. A page passes 128 entries
// on average. An anchor takes its key and about 40 bytes. Beyond the bound, the least recently used list is
// forgotten.
#include "page_ranks.hpp"

#include <algorithm>

namespace gallery::rocks {
namespace {

/// Entries from anchor to anchor: a late page passes half of them on average, at less than a microsecond
/// each.
constexpr std::uint32_t spacing = 256;
/// A stretch that has grown beyond this is worth another pass over the list.
constexpr std::uint32_t overgrown = 16 * spacing;

std::string_view prefix_of(std::string_view key) {
    return key.substr(0, index_prefix_size);
}

std::size_t stretch_of(const std::vector<std::string>& anchors, std::string_view key) {
    const auto after = std::upper_bound(anchors.begin(), anchors.end(), key,
                                        [](std::string_view a, const std::string& b) { return a < b; });
    return after == anchors.begin() ? 0 : static_cast<std::size_t>(after - anchors.begin()) - 1;
}

}  // namespace

page_ranks::page_ranks(const engine& db, std::uint64_t bound) : engine_(db), lists_(bound) {}

page_ranks::ticket page_ranks::announce(std::vector<delta> deltas) {
    const lock_guard lock(mutex_);
    const ticket given = next_++;
    pending_.emplace(given, std::move(deltas));
    return given;
}

void page_ranks::settle(ticket which, outcome how) {
    const lock_guard lock(mutex_);
    const auto deltas = std::move(pending_.extract(which).mapped());
    if (how == outcome::unchanged) return;
    for (const delta& each : deltas) {
        auto* const list = lists_.peek(prefix_of(each.key));
        if (list == nullptr) continue;
        list_state& state = list->value;
        if (how == outcome::unknown) {
            if (state.building)
                state.spoiled = true;
            else
                lists_.extract(*list);
        } else if (state.building) {
            state.late.emplace_back(which, each);
        } else {
            apply(*list, each);
        }
    }
}

void page_ranks::apply(list_map::entry& list, const delta& change) {
    list_state& state = list.value;
    const std::size_t at = stretch_of(*state.anchors, change.key);
    if (!change.added) {
        if (state.counts[at] > 0) --state.counts[at];
        return;
    }
    // Lists by time grow at their end. A key behind all others begins a stretch of its own, without a look
    // at the entries; anywhere else stretches grow until the list is passed over again.
    if (change.key > state.last) {
        state.last = change.key;
        if (state.counts[at] >= spacing) {
            auto anchors = std::make_shared<std::vector<std::string>>(*state.anchors);
            anchors->push_back(change.key);
            state.anchors = std::move(anchors);
            state.counts.push_back(1);
            account(list);
            return;
        }
    }
    ++state.counts[at];
}

void page_ranks::account(list_map::entry& list) {
    std::uint64_t size = sizeof list + 256;
    for (const auto& anchor : *list.value.anchors)
        size += sizeof(std::string) + anchor.capacity() + sizeof(std::uint32_t);
    lists_.recharge(list, size);
}

void page_ranks::set_bound(std::uint64_t bound) {
    const lock_guard lock(mutex_);
    lists_.set_bound(bound);
    shrink(nullptr);
}

void page_ranks::shrink(const list_map::entry* keep) {
    for (auto* at = lists_.oldest(); at != nullptr && lists_.cost() > lists_.bound();) {
        auto* const next = at->newer();
        if (at != keep && !at->value.building) lists_.extract(*at);
        at = next;
    }
}

std::vector<std::pair<page_ranks::ticket, page_ranks::delta>> page_ranks::pending_of(
    std::string_view prefix) const {
    std::vector<std::pair<ticket, delta>> found;
    for (const auto& [which, deltas] : pending_)
        for (const delta& each : deltas)
            if (prefix_of(each.key) == prefix) found.emplace_back(which, each);
    return found;
}

result<bool> page_ranks::present(std::string_view key, const snapshot_ptr& at) const {
    rocksdb::PinnableSlice value;
    const auto status = engine_.get(family::index, key, value, engine::reach::disk, at);
    if (status.ok()) return true;
    if (status.IsNotFound()) return false;
    return to_error(status, "reading the list index");
}

result<void> page_ranks::build(const std::string& prefix) {
    auto& list = *lists_.put(prefix, list_state(), 0);  // only this function removes it while it is built
    const auto at = engine_.snapshot();
    const auto announced = pending_of(prefix);
    ++builds_;

    auto anchors = std::make_shared<std::vector<std::string>>(1, prefix);
    std::vector<std::uint32_t> found(1, 0);
    std::string last = prefix;
    std::vector<ticket> seen;  // announced before the snapshot, and in it
    result<void> ended;
    const auto pass = [&]() -> result<void> {
        auto cursor = engine_.iterate_prefix(family::index, prefix, engine::reach::disk_aside, at);
        for (cursor->SeekToFirst(); cursor->Valid(); cursor->Next()) {
            if (found.back() == spacing) {
                anchors->emplace_back(cursor.key());
                found.push_back(0);
            }
            ++found.back();
        }
        if (!cursor->status().ok()) return to_error(cursor->status(), "reading a list");
        cursor->SeekToLast();
        if (cursor->Valid()) last = cursor.key();
        for (const auto& [which, change] : announced) {
            const auto there = present(change.key, at);
            if (!there) return there.error();
            if (*there == change.added) seen.push_back(which);
        }
        return {};
    };
    try {
        const unlock_guard unlocked(mutex_);
        ended = pass();
    } catch (...) {
        lists_.extract(list);
        built_.notify_all();
        throw;
    }

    list_state& state = list.value;
    if (!ended || state.spoiled) {
        lists_.extract(list);
        built_.notify_all();
        return ended;  // a spoiled one is begun again by who waits for it
    }
    state.anchors = std::move(anchors);
    state.counts = std::move(found);
    state.last = std::move(last);
    state.building = false;
    for (const auto& [which, change] : state.late)
        if (std::find(seen.begin(), seen.end(), which) == seen.end()) apply(list, change);
    state.late.clear();
    state.late.shrink_to_fit();
    account(list);
    shrink(&list);
    built_.notify_all();
    return {};
}

result<page_ranks::counts> page_ranks::open(const std::string& prefix) {
    counts made;
    std::vector<std::pair<ticket, delta>> announced;
    {
        const lock_guard lock(mutex_);
        for (;;) {
            auto* const list = lists_.peek(prefix);
            if (list == nullptr) {
                if (auto built = build(prefix); !built) return built.error();
                continue;
            }
            const list_state& state = list->value;
            if (state.building) {
                built_.wait(mutex_);
                continue;
            }
            if (*std::max_element(state.counts.begin(), state.counts.end()) > overgrown) {
                lists_.extract(*list);
                continue;
            }
            lists_.use(*list);
            made.engine_ = &engine_;
            made.snapshot_ = engine_.snapshot();
            made.anchors_ = state.anchors;
            made.before_.reserve(state.counts.size() + 1);
            std::uint64_t sum = 0;
            for (const auto count : state.counts) {
                made.before_.push_back(sum);
                sum += count;
            }
            made.before_.push_back(sum);
            announced = pending_of(prefix);
            break;
        }
    }
    for (const auto& [which, change] : announced) {
        const auto there = present(change.key, made.snapshot_);
        if (!there) return there.error();
        if (*there != change.added) continue;  // not in the snapshot yet
        const std::size_t at = stretch_of(*made.anchors_, change.key);
        for (std::size_t i = at + 1; i < made.before_.size(); ++i)
            change.added ? ++made.before_[i] : --made.before_[i];
    }
    return made;
}

page_ranks::counts::start page_ranks::counts::start_of(std::uint64_t rank) const {
    const auto after = std::upper_bound(before_.begin(), before_.end() - 1, rank);
    const auto at = static_cast<std::size_t>(after - before_.begin()) - 1;
    return {(*anchors_)[at], rank - before_[at]};
}

result<std::uint64_t> page_ranks::counts::rank_of(std::string_view key) const {
    const std::size_t at = stretch_of(*anchors_, key);
    const std::string& anchor = (*anchors_)[at];
    if (key <= anchor) return before_[at];
    auto cursor = engine_->iterate(family::index, {anchor, std::string(key)}, engine::reach::disk, snapshot_);
    std::uint64_t rank = before_[at];
    for (cursor->SeekToFirst(); cursor->Valid(); cursor->Next())
        ++rank;
    if (!cursor->status().ok()) return to_error(cursor->status(), "reading a list");
    return rank;
}

void page_ranks::drop(const std::string& prefix) {
    const lock_guard lock(mutex_);
    auto* const list = lists_.peek(prefix);
    if (list != nullptr && !list->value.building) lists_.extract(*list);
}

std::uint64_t page_ranks::bytes() const {
    const lock_guard lock(mutex_);
    return lists_.cost();
}

std::uint64_t page_ranks::builds() const {
    const lock_guard lock(mutex_);
    return builds_;
}

}  // namespace gallery::rocks
