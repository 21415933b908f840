// SPDX-License-Identifier: Apache-2.0
/// The bodies of lru's members that keep the order and the cells. Their callers hold `order_`. Included by
/// cache/lru.hpp only.
///
/// The idea. A hit does not move its entry in the list. It writes the number of the use into the entry
/// (`stamp`) and the entry's cell into the log of its thread. work_off_logs() later moves the logged entries
/// to the places that their stamps determine. remove_oldest() evicts the entry at the old end if its stamp is
/// equal to the number by which it was placed. Otherwise the entry was used since, and the logs are worked
/// off first.
///
/// The invariants. The list is sorted by `placed`. `stamp` is never less than `placed`. If they differ, the
/// entry is in a log. An entry that leaves its chain gets `placed` equal to `stamp`, so that no log puts it
/// back, and its cells are reused only after all logs were worked off.
///
/// The cost. A hit costs no list operation. Working off a log of 64 uses takes them from the newest to the
/// oldest, so that each search for a place begins close to the one before, and usually ends after a few
/// steps. An eviction is O(1) when no use was logged for the oldest entry. An entry takes one cell of 128
/// bytes, or several for a long key. Free cells form one list, so memory does not fragment.
#pragma once

#include "cache/lru.hpp"

namespace gallery::cache {

template <class Value>
void lru<Value>::detach(node& entry) noexcept {
    (entry.newer != 0 ? at(entry.newer).older : newest_) = entry.older;
    (entry.older != 0 ? at(entry.older).newer : oldest_) = entry.newer;
}

/// Puts a detached entry where @p stamp belongs, looking from @p from towards the old end.
template <class Value>
void lru<Value>::place(cell number, std::uint64_t stamp, cell from) noexcept {
    while (from != 0 && at(from).placed > stamp)
        from = at(from).older;
    node& entry = at(number);
    entry.placed = stamp;
    entry.older = from;
    entry.newer = from != 0 ? at(from).newer : oldest_;
    (entry.newer != 0 ? at(entry.newer).older : newest_) = number;
    (from != 0 ? at(from).newer : oldest_) = number;
}

/// Merges what the threads wrote down into the order. Each log is taken from its newest use to its oldest, so
/// that the place of one is found close to the place of the one before.
template <class Value>
void lru<Value>::work_off_logs() noexcept {
    const auto used = std::min<std::size_t>(threads_numbered(), log_count);
    for (std::size_t i = 0; i != used; ++i) {
        hit_log& log = logs_[i];
        // A log with an entry that has just left its chain is never seen as empty here: the lock of the chain
        // orders the writing down before this.
        if (log.size.load(std::memory_order_relaxed) == 0) continue;
        std::array<cell, log_capacity> taken;
        log.lock.lock();
        const auto count = log.size.load(std::memory_order_relaxed);
        std::copy_n(log.entries.begin(), count, taken.begin());
        log.size.store(0, std::memory_order_relaxed);
        log.lock.unlock();

        for (std::uint32_t k = 0; k != count; ++k) {
            const node& entry = at(taken[k]);
            __builtin_prefetch(&at(entry.newer), 1);
            __builtin_prefetch(&at(entry.older), 1);
        }
        cell cursor = newest_;
        auto last = std::numeric_limits<std::uint64_t>::max();
        for (auto k = count; k-- != 0;) {
            node& entry = at(taken[k]);
            const auto stamp = entry.stamp.load(std::memory_order_relaxed);
            if (stamp == entry.placed) continue;
            if (cursor == taken[k]) cursor = entry.older;
            detach(entry);
            // Used again by another thread since: its place is nearer to the new end than the cursor.
            if (stamp > last) cursor = newest_;
            place(taken[k], stamp, cursor);
            cursor = taken[k];
            last = stamp;
        }
    }
}

/// Takes the entries that satisfy @p predicate out of a chain and returns them, linked by `chain`.
template <class Value>
template <class Predicate>
auto lru<Value>::unchain(locked_head& chain, Predicate predicate) noexcept -> cell {
    cell removed = 0;
    cell head = chain.lock();
    for (cell* link = &head; *link != 0;) {
        const cell number = *link;
        node& entry = at(number);
        if (predicate(entry)) {
            *link = entry.chain;
            entry.chain = removed;
            removed = number;
        } else {
            link = &entry.chain;
        }
    }
    chain.unlock(head);
    return removed;
}

/// Gives back the cells of entries that are in no chain any more. Returns how many entries.
template <class Value>
std::size_t lru<Value>::retire(cell removed) noexcept {
    if (removed == 0) return 0;
    for (cell number = removed; number != 0; number = at(number).chain) {
        node& entry = at(number);
        detach(entry);
        entry.placed = entry.stamp.load(std::memory_order_relaxed);  // so that no log puts it back
    }
    work_off_logs();
    std::size_t count = 0;
    std::size_t cells = 0;
    while (removed != 0) {
        node& entry = at(removed);
        const cell next = entry.chain;
        const auto occupies = cells_for(entry.key_size);
        cell further = 0;
        if (occupies > 1) std::memcpy(&further, entry.key.data() + inline_part, sizeof further);
        give_cell(removed);
        for (auto left = occupies; left-- != 1;) {
            const cell after = continuation_at(further).next;
            give_cell(further);
            further = after;
        }
        cells += occupies;
        ++count;
        removed = next;
    }
    set_used(used_ - cells);
    entries_.store(entries_.load(std::memory_order_relaxed) - count, std::memory_order_relaxed);
    return count;
}

/// Removes the least recently used entry. False if there is none.
template <class Value>
bool lru<Value>::remove_oldest(std::uint32_t now) noexcept {
    while (oldest_ != 0) {
        node& candidate = at(oldest_);
        bool time_was_up = false;
        const cell removed = unchain(chain_of(candidate.hash), [&](node& entry) {
            if (&entry != &candidate || entry.stamp.load(std::memory_order_relaxed) != entry.placed)
                return false;
            time_was_up = expired(entry, now);
            return true;
        });
        if (removed != 0) {
            retire(removed);
            add(time_was_up ? expiries_ : evictions_, 1);
            return true;
        }
        work_off_logs();
    }
    return false;
}

/// Evicts until so many cells are free. Evicts nothing where that can never be.
template <class Value>
bool lru<Value>::make_room(std::size_t cells, std::uint32_t now) noexcept {
    if (cells > cell_count_) return false;
    while (cell_count_ - used_ < cells)
        if (!remove_oldest(now)) return false;
    return true;
}

/// Precondition: one is free. The caller accounts for it.
template <class Value>
auto lru<Value>::take_cell() noexcept -> cell {
    if (free_ == 0) return first_cell_ + static_cast<cell>(cell_count_ - untouched_--);
    const cell number = free_;
    free_ = continuation_at(number).next;
    return number;
}

template <class Value>
void lru<Value>::give_cell(cell number) noexcept {
    ::new (&continuation_at(number)) continuation;
    continuation_at(number).next = free_;
    free_ = number;
}

/// Precondition: enough cells are free. The entry is in no chain and not in the order yet.
template <class Value>
auto lru<Value>::make_entry(const probe& wanted, const Value& value, std::uint32_t now) noexcept -> cell {
    const cell number = take_cell();
    node& entry = *::new (&at(number)) node;
    entry.hash = static_cast<std::uint32_t>(wanted.hash >> 32);
    entry.key_size = static_cast<std::uint16_t>(wanted.size);
    entry.variant = wanted.variant;
    entry.last_used = now;
    entry.value = value;
    entry.stamp.store(next_use(), std::memory_order_relaxed);

    char* to = entry.key.data();
    if (wanted.key.scoped) {
        std::memcpy(to, wanted.key.scope.data(), sizeof wanted.key.scope);
        to += sizeof wanted.key.scope;
    }
    auto text = wanted.key.text;
    const auto occupies = cells_for(wanted.size);
    if (occupies == 1) {
        text.copy(to, text.size());
    } else {
        text.remove_prefix(text.copy(to, static_cast<std::size_t>(entry.key.data() + inline_part - to)));
        char* link = entry.key.data() + inline_part;
        while (!text.empty()) {
            const cell further = take_cell();
            std::memcpy(link, &further, sizeof further);
            auto& more = *::new (&continuation_at(further)) continuation;
            more.next = 0;
            text.remove_prefix(text.copy(more.key.data(), further_part));
            link = reinterpret_cast<char*>(&more.next);
        }
    }
    set_used(used_ + occupies);
    return number;
}

template <class Value>
void lru<Value>::set_used(std::size_t cells) noexcept {
    used_ = cells;
    bytes_.store((first_cell_ + cells) * cell_size, std::memory_order_relaxed);
}

}  // namespace gallery::cache
