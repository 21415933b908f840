// SPDX-License-Identifier: Apache-2.0
/// The bodies of lru's members; included by cache/lru.hpp only.
#pragma once

#include "cache/lru.hpp"

namespace gallery::cache {

template <class Value>
lru<Value>::lru(std::size_t max_bytes, duration time_to_live, std::uint32_t incarnation)
    : secret_(hash_secret()),
      time_to_live_(std::chrono::duration_cast<std::chrono::seconds>(time_to_live).count()) {
    // No request takes as long as 2^32 erasures with one counter, so no ticket outlives the difference.
    for (auto& generation : generations_)
        generation.store(std::uint64_t{incarnation} << 32, std::memory_order_relaxed);
    if (time_to_live_ <= 0) return;
    memory_ = page_memory(std::min<std::size_t>(max_bytes, locked_head::max_number * cell_size));
    if (!enabled()) return;
    static_assert(std::is_trivially_destructible_v<locked_head>);
    chain_count_ = memory_.size() / bytes_per_chain;
    // The kernel gives zero bytes, which are empty lists already; memory that is not written stays unused.
    chains_ = reinterpret_cast<locked_head*>(memory_.data());
    // Cells are numbered from the beginning of the memory; the index lies in what would be the first ones.
    const auto index_bytes = (chain_count_ * sizeof(locked_head) + cell_size - 1) / cell_size * cell_size;
    first_cell_ = static_cast<cell>(index_bytes / cell_size);
    cell_count_ = memory_.size() / cell_size - first_cell_;
    untouched_ = cell_count_;
    set_used(0);
}

template <class Value>
auto lru<Value>::probe_of(const lru_key& key) const noexcept -> probe {
    auto start = std::uint64_t{1};
    if (key.scoped) start = detail::fold(key.scope[0] ^ secret_[0], key.scope[1] ^ secret_[1]);
    return {.key = key,
            .hash = keyed_hash(secret_, key.text, start),
            .variant = static_cast<std::uint8_t>(key.variant | (key.scoped ? 0 : 0x80)),
            .size = key.text.size() + (key.scoped ? sizeof key.scope : 0)};
}

template <class Value>
bool lru<Value>::same_subject(const node& entry, const probe& wanted) const noexcept {
    if (entry.hash != wanted.hash >> 32 || entry.key_size != wanted.size ||
        ((entry.variant ^ wanted.variant) & 0x80) != 0)
        return false;
    const char* kept = entry.key.data();
    auto room = wanted.size <= inline_size ? inline_size : inline_part;
    if (wanted.key.scoped) {
        if (std::memcmp(kept, wanted.key.scope.data(), sizeof wanted.key.scope) != 0) return false;
        kept += sizeof wanted.key.scope;
        room -= sizeof wanted.key.scope;
    }
    auto text = wanted.key.text;
    if (text.size() <= room) return std::string_view(kept, text.size()) == text;
    if (std::string_view(kept, room) != text.substr(0, room)) return false;
    text.remove_prefix(room);
    cell next = 0;
    std::memcpy(&next, entry.key.data() + inline_part, sizeof next);
    while (!text.empty()) {
        const auto& more = continuation_at(next);
        const auto part = text.substr(0, further_part);
        if (std::string_view(more.key.data(), part.size()) != part) return false;
        text.remove_prefix(part.size());
        next = more.next;
    }
    return true;
}

template <class Value>
auto lru<Value>::look_up(cell head, const probe& wanted) const noexcept -> cell {
    while (head != 0 && !same(at(head), wanted))
        head = at(head).chain;
    return head;
}

template <class Value>
std::optional<Value> lru<Value>::find(const lru_key& key, time_point when) noexcept {
    std::optional<Value> found;
    if (!enabled()) return found;
    const auto now = seconds(when);
    const auto wanted = probe_of(key);
    auto& chain = chain_of(wanted);
    chain.prefetch();

    // The log is taken first, so that it is certain that the use can be written down.
    hit_log& log = logs_[thread_number() % log_count];
    log.lock.lock();
    while (log.size.load(std::memory_order_relaxed) == log_capacity) {
        log.lock.unlock();
        {
            const lock_guard guard(order_);
            work_off_logs();
        }
        log.lock.lock();
    }

    bool stale = false;
    auto logged = log.size.load(std::memory_order_relaxed);
    const cell head = chain.lock();
    if (const cell number = look_up(head, wanted); number != 0) {
        node& entry = at(number);
        stale = expired(entry, now);
        if (!stale) {
            entry.stamp.store(next_use(), std::memory_order_relaxed);
            entry.last_used = now;
            log.entries[logged++] = number;
            log.size.store(logged, std::memory_order_relaxed);
            found.emplace(entry.value);
        }
    }
    chain.unlock(head);
    add(found ? log.hits : log.misses, 1);
    log.lock.unlock();

    if (found) {
        // Half full: time to put things in order, unless another thread is at it. Asked only now and then.
        if (logged >= log_capacity / 2 && logged % 8 == 0 && order_.try_lock()) {
            const lock_guard guard(order_, std::adopt_lock);
            work_off_logs();
        }
    } else if (stale) {
        const lock_guard guard(order_);
        const auto removals =
            retire(unchain(chain, [&](node& entry) { return same(entry, wanted) && expired(entry, now); }));
        add(expiries_, removals);
    }
    return found;
}

template <class Value>
lru_ticket lru<Value>::begin_fill(const lru_key& key) const noexcept {
    if (!enabled()) return lru_ticket(0);
    // Acquire: a thread that reads the generation of an erasure also sees the write before that erasure.
    return lru_ticket(generations_[probe_of(key).hash % generation_count].load(std::memory_order_acquire));
}

template <class Value>
bool lru<Value>::complete_fill(lru_ticket ticket, const lru_key& key, const Value& value,
                               time_point when) noexcept {
    if (!enabled()) return false;
    const auto now = seconds(when);
    const auto wanted = probe_of(key);
    auto& chain = chain_of(wanted);

    const lock_guard guard(order_);
    const auto generation = generations_[wanted.hash % generation_count].load(std::memory_order_relaxed);
    if (generation != ticket.generation_ || wanted.size > max_key_size) {
        add(dropped_fills_, 1);
        return false;
    }

    const cell head = chain.lock();
    if (const cell known = look_up(head, wanted); known != 0) {
        node& entry = at(known);
        const auto stamp = next_use();
        entry.value = value;
        entry.last_used = now;
        entry.stamp.store(stamp, std::memory_order_relaxed);
        chain.unlock(head);
        detach(entry);
        place(known, stamp, newest_);
        add(fills_, 1);
        return true;
    }
    chain.unlock(head);

    if (!make_room(cells_for(wanted.size), now)) {
        add(dropped_fills_, 1);
        return false;
    }
    const cell number = make_entry(wanted, value, now);
    place(number, at(number).stamp.load(std::memory_order_relaxed), newest_);
    at(number).chain = chain.lock();
    chain.unlock(number);
    add(entries_, 1);
    add(fills_, 1);
    return true;
}

template <class Value>
std::size_t lru<Value>::erase(const lru_key& subject) noexcept {
    if (!enabled()) return 0;
    const auto wanted = probe_of(subject);
    const lock_guard guard(order_);
    generations_[wanted.hash % generation_count].fetch_add(1, std::memory_order_release);
    const auto removals =
        retire(unchain(chain_of(wanted), [&](node& entry) { return same_subject(entry, wanted); }));
    add(erasures_, removals);
    return removals;
}

template <class Value>
void lru<Value>::clear() noexcept {
    if (!enabled()) return;
    {
        const lock_guard guard(order_);
        for (auto& generation : generations_)
            generation.fetch_add(1, std::memory_order_release);
    }
    // By chains rather than by the order, which hits change while order_ is released between batches.
    for (std::uint64_t next = 0; next < chain_count_;) {
        const lock_guard guard(order_);
        std::size_t removals = 0;
        for (std::size_t looked = 0; next < chain_count_ && removals < batch && looked < 16 * batch;
             ++next, ++looked)
            removals += retire(unchain(chains_[next], [](node&) { return true; }));
        add(erasures_, removals);
    }
}

template <class Value>
std::size_t lru<Value>::sweep(time_point when) noexcept {
    if (!enabled()) return 0;
    const auto now = seconds(when);
    std::size_t total = 0;
    for (bool more = true; more;) {
        const lock_guard guard(order_);
        work_off_logs();
        std::size_t removals = 0;
        while (removals < batch && oldest_ != 0) {
            node& candidate = at(oldest_);
            const cell removed = unchain(chain_of(candidate.hash), [&](node& entry) {
                return &entry == &candidate && expired(entry, now);
            });
            if (removed == 0) break;
            removals += retire(removed);
        }
        add(expiries_, removals);
        total += removals;
        more = removals == batch;
    }
    return total;
}

template <class Value>
lru_counters lru<Value>::counters() const noexcept {
    constexpr auto relaxed = std::memory_order_relaxed;
    lru_counters sum{.fills = fills_.load(relaxed),
                     .dropped_fills = dropped_fills_.load(relaxed),
                     .evictions = evictions_.load(relaxed),
                     .expiries = expiries_.load(relaxed),
                     .erasures = erasures_.load(relaxed),
                     .bytes = bytes_.load(relaxed),
                     .entries = entries_.load(relaxed)};
    for (const auto& log : logs_) {
        sum.hits += log.hits.load(relaxed);
        sum.misses += log.misses.load(relaxed);
    }
    return sum;
}

}  // namespace gallery::cache

#include "cache/lru_order.hpp"
