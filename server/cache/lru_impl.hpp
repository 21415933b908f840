/// The bodies of lru's members; included by cache/lru.hpp only.
#pragma once

#include "cache/lru.hpp"

namespace gallery::cache {

template <class Value>
lru<Value>::lru(std::size_t max_bytes, duration time_to_live)
    : max_bytes_(max_bytes), time_to_live_(time_to_live.count()), secret_(hash_secret()) {
    static_assert(std::is_trivially_destructible_v<chain_head>,
                  "else new[] would put a count before the array");
    static_assert(alignof(node) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
    const auto chains = std::max<std::size_t>(1, max_bytes / bytes_per_chain);
    const auto least = largest_charge(chains * sizeof(chain_head)) + room_for(1);
    if (time_to_live_ <= 0 || max_bytes < least) return;
    index_ = std::make_unique<chain_head[]>(chains);
    chains_ = chains;
    add(bytes_, charge_of(index_.get()));
}

template <class Value>
lru<Value>::~lru() {
    while (node* entry = newest_) {
        newest_ = entry->older;
        ::operator delete(entry);
    }
}

template <class Value>
std::optional<Value> lru<Value>::find(const lru_key& key, time_point now) noexcept {
    std::optional<Value> found;
    if (!enabled()) return found;
    const auto hash = hash_of(key);
    auto& chain = chain_of(hash);
    chain.prefetch();

    // The log is taken first, so that it is certain that the use can be written down.
    hit_log& log = logs_[thread_number() % log_count];
    log.lock.lock();
    while (log.size.load(std::memory_order_relaxed) == log_capacity) {
        log.lock.unlock();
        {
            const std::lock_guard guard(order_);
            work_off_logs();
        }
        log.lock.lock();
    }

    bool stale = false;
    node* const head = chain.lock();
    node* entry = head;
    while (entry != nullptr && !(entry->variant == key.variant && entry->of_subject(hash, key)))
        entry = entry->chain;
    auto logged = log.size.load(std::memory_order_relaxed);
    if (entry != nullptr && !(stale = expired(*entry, now))) {
        entry->stamp.store(next_use(), std::memory_order_relaxed);
        entry->last_used = now.time_since_epoch().count();
        log.nodes[logged++] = entry;
        log.size.store(logged, std::memory_order_relaxed);
        found.emplace(entry->value);
    }
    chain.unlock(head);
    add(found ? log.hits : log.misses, 1);
    log.lock.unlock();

    if (found) {
        // Half full: time to put things in order, unless another thread is at it. Asked only now and then.
        if (logged >= log_capacity / 2 && logged % 8 == 0 && order_.try_lock()) {
            const std::lock_guard guard(order_, std::adopt_lock);
            work_off_logs();
        }
    } else if (stale) {
        const std::lock_guard guard(order_);
        const auto gone = retire(unchain(chain, [&](node& n) {
            return n.variant == key.variant && n.of_subject(hash, key) && expired(n, now);
        }));
        add(expiries_, gone);
    }
    return found;
}

template <class Value>
lru_ticket lru<Value>::begin_fill(const lru_key& key) const noexcept {
    if (!enabled()) return lru_ticket(0);
    // Acquire: whoever sees the generation that an erasure left also sees the write that came before it.
    return lru_ticket(generations_[hash_of(key) % generation_count].load(std::memory_order_acquire));
}

template <class Value>
bool lru<Value>::complete_fill(lru_ticket ticket, const lru_key& key, const Value& value,
                               time_point now) noexcept {
    if (!enabled()) return false;
    const auto hash = hash_of(key);
    auto& chain = chain_of(hash);
    const auto size = sizeof(node) + key.text.size();
    const auto most = room_for(key.text.size());

    const std::lock_guard guard(order_);
    if (generation_of(hash).load(std::memory_order_relaxed) != ticket.generation_ ||
        key.text.size() > std::numeric_limits<std::uint16_t>::max()) {
        add(dropped_fills_, 1);
        return false;
    }

    node* const head = chain.lock();
    node* entry = head;
    while (entry != nullptr && !(entry->variant == key.variant && entry->of_subject(hash, key)))
        entry = entry->chain;
    if (entry != nullptr) {
        entry->value = value;
        entry->last_used = now.time_since_epoch().count();
        const auto stamp = next_use();
        entry->stamp.store(stamp, std::memory_order_relaxed);
        chain.unlock(head);
        detach(entry);
        place(entry, stamp, newest_);
        add(fills_, 1);
        return true;
    }
    chain.unlock(head);

    void* block = nullptr;
    if (!make_room(most, now) || (block = ::operator new(size, std::nothrow)) == nullptr) {
        add(dropped_fills_, 1);
        return false;
    }
    const auto charge = charge_of(block);
    // Never more with glibc; another allocator may round up further.
    if (charge > most && !make_room(charge, now)) {
        ::operator delete(block);
        add(dropped_fills_, 1);
        return false;
    }
    const auto stamp = next_use();
    entry = ::new (block) node{.hash = hash,
                               .scope = key.scope,
                               .text_size = static_cast<std::uint16_t>(key.text.size()),
                               .kind = key.kind,
                               .variant = key.variant,
                               .charge = static_cast<std::uint32_t>(charge),
                               .chain = nullptr,
                               .value = value,
                               .last_used = now.time_since_epoch().count(),
                               .stamp = stamp,
                               .placed = 0,
                               .newer = nullptr,
                               .older = nullptr};
    key.text.copy(entry->text(), key.text.size());
    place(entry, stamp, newest_);
    entry->chain = chain.lock();
    chain.unlock(entry);
    add(bytes_, charge);
    add(entries_, 1);
    add(fills_, 1);
    return true;
}

template <class Value>
std::size_t lru<Value>::erase(const lru_key& subject) noexcept {
    if (!enabled()) return 0;
    const auto hash = hash_of(subject);
    const std::lock_guard guard(order_);
    generation_of(hash).fetch_add(1, std::memory_order_release);
    const auto gone =
        retire(unchain(chain_of(hash), [&](node& entry) { return entry.of_subject(hash, subject); }));
    add(erasures_, gone);
    return gone;
}

template <class Value>
void lru<Value>::clear() noexcept {
    if (!enabled()) return;
    {
        const std::lock_guard guard(order_);
        for (auto& generation : generations_)
            generation.fetch_add(1, std::memory_order_release);
    }
    // By chains rather than by the order, which hits change while order_ is released between batches.
    for (std::size_t next = 0; next < chains_;) {
        const std::lock_guard guard(order_);
        std::size_t gone = 0;
        for (std::size_t looked = 0; next < chains_ && gone < batch && looked < 16 * batch; ++next, ++looked)
            gone += retire(unchain(index_[next], [](node&) { return true; }));
        add(erasures_, gone);
    }
}

template <class Value>
std::size_t lru<Value>::sweep(time_point now) noexcept {
    if (!enabled()) return 0;
    std::size_t total = 0;
    for (bool more = true; more;) {
        const std::lock_guard guard(order_);
        work_off_logs();
        std::size_t gone = 0;
        while (gone < batch && oldest_ != nullptr) {
            node* const candidate = oldest_;
            node* const removed = unchain(chain_of(candidate->hash),
                                          [&](node& n) { return &n == candidate && expired(n, now); });
            if (removed == nullptr) break;
            gone += retire(removed);
        }
        add(expiries_, gone);
        total += gone;
        more = gone == batch;
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

template <class Value>
void lru<Value>::detach(node* entry) noexcept {
    (entry->newer != nullptr ? entry->newer->older : newest_) = entry->older;
    (entry->older != nullptr ? entry->older->newer : oldest_) = entry->newer;
}

/// Puts @p entry on the newer side of @p older, or at the old end if that is null.
template <class Value>
void lru<Value>::attach_before(node* entry, node* older) noexcept {
    entry->older = older;
    entry->newer = older != nullptr ? older->newer : oldest_;
    (entry->newer != nullptr ? entry->newer->older : newest_) = entry;
    (older != nullptr ? older->newer : oldest_) = entry;
}

/// Puts a detached entry where @p stamp belongs, looking from @p from towards the old end.
template <class Value>
void lru<Value>::place(node* entry, std::uint64_t stamp, node* from) noexcept {
    while (from != nullptr && from->placed > stamp)
        from = from->older;
    attach_before(entry, from);
    entry->placed = stamp;
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
        std::array<node*, log_capacity> taken;
        log.lock.lock();
        const auto count = log.size.load(std::memory_order_relaxed);
        std::copy_n(log.nodes.begin(), count, taken.begin());
        log.size.store(0, std::memory_order_relaxed);
        log.lock.unlock();

        for (std::uint32_t k = 0; k != count; ++k)
            __builtin_prefetch(&taken[k]->stamp, 1);
        for (std::uint32_t k = 0; k != count; ++k) {
            __builtin_prefetch(taken[k]->newer, 1);
            __builtin_prefetch(taken[k]->older, 1);
        }
        node* cursor = newest_;
        auto last = std::numeric_limits<std::uint64_t>::max();
        for (auto k = count; k-- != 0;) {
            node* const entry = taken[k];
            const auto stamp = entry->stamp.load(std::memory_order_relaxed);
            if (stamp == entry->placed) continue;
            if (entry == cursor) cursor = entry->older;
            detach(entry);
            // Used again by another thread since: its place is nearer to the new end than the cursor.
            if (stamp > last) cursor = newest_;
            place(entry, stamp, cursor);
            cursor = entry;
            last = stamp;
        }
    }
}

/// Takes the entries that satisfy @p predicate out of a chain and returns them, linked by `chain`.
template <class Value>
template <class Predicate>
auto lru<Value>::unchain(chain_head& chain, Predicate predicate) noexcept -> node* {
    node* removed = nullptr;
    node* head = chain.lock();
    for (node** link = &head; node* entry = *link;) {
        if (predicate(*entry)) {
            *link = entry->chain;
            entry->chain = removed;
            removed = entry;
        } else {
            link = &entry->chain;
        }
    }
    chain.unlock(head);
    return removed;
}

/// Frees entries that are in no chain any more. Returns how many.
template <class Value>
std::size_t lru<Value>::retire(node* removed) noexcept {
    if (removed == nullptr) return 0;
    for (node* entry = removed; entry != nullptr; entry = entry->chain) {
        detach(entry);
        entry->placed = entry->stamp.load(std::memory_order_relaxed);  // so that no log puts it back
    }
    work_off_logs();
    std::size_t count = 0;
    std::uint64_t freed = 0;
    while (removed != nullptr) {
        node* const next = removed->chain;
        freed += removed->charge;
        ::operator delete(removed);
        removed = next;
        ++count;
    }
    bytes_.store(bytes_.load(std::memory_order_relaxed) - freed, std::memory_order_relaxed);
    entries_.store(entries_.load(std::memory_order_relaxed) - count, std::memory_order_relaxed);
    return count;
}

/// Removes the least recently used entry. False if there is none.
template <class Value>
bool lru<Value>::remove_oldest(time_point now) noexcept {
    while (node* const candidate = oldest_) {
        bool time_was_up = false;
        node* const removed = unchain(chain_of(candidate->hash), [&](node& entry) {
            if (&entry != candidate || entry.stamp.load(std::memory_order_relaxed) != entry.placed)
                return false;
            time_was_up = expired(entry, now);
            return true;
        });
        if (removed != nullptr) {
            retire(removed);
            add(time_was_up ? expiries_ : evictions_, 1);
            return true;
        }
        work_off_logs();
    }
    return false;
}

/// Evicts until @p bytes more can be occupied. Evicts nothing where that can never be.
template <class Value>
bool lru<Value>::make_room(std::size_t bytes, time_point now) noexcept {
    if (charge_of(index_.get()) + bytes > max_bytes_) return false;
    while (bytes_.load(std::memory_order_relaxed) + bytes > max_bytes_)
        if (!remove_oldest(now)) return false;
    return true;
}

}  // namespace gallery::cache
