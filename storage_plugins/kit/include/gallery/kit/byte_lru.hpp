// SPDX-License-Identifier: Apache-2.0
/// A cache bounded in bytes, for records and bodies.
///
/// Threads: all functions from any thread. Locks are per shard and held for a look-up or a relink; values are
/// destroyed without a lock. All shards share one budget, so an entry as large as the whole budget still
/// fits. The least recently used entry of all shards (by the clock) is evicted first.
///
/// Fills that race with a write: call generation(key) before reading the value, and pass it to put(). An
/// erase() in between makes put() refuse, so no old value is stored after an invalidation.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <list>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

namespace gallery::kit {

/// Value: cheap to copy (a shared pointer). Hash and Equal may be transparent.
template <class Key, class Value, class Hash, class Equal = std::equal_to<>>
class byte_lru {
public:
    explicit byte_lru(std::uint64_t bound) : bound_(bound) {}

    template <class K>
    std::optional<Value> find(const K& key) {
        shard& home = shard_of(key);
        const std::lock_guard lock(home.mutex);
        const auto found = home.table.find(key);
        if (found == home.table.end()) {
            ++home.misses;
            return std::nullopt;
        }
        ++home.hits;
        const auto at = found->second;
        at->used = now();
        if (at != home.order.begin()) home.order.splice(home.order.begin(), home.order, at);
        home.note_oldest();
        return at->value;
    }

    template <class K>
    std::uint64_t generation(const K& key) {
        shard& home = shard_of(key);
        const std::lock_guard lock(home.mutex);
        return home.generation;
    }

    /// Stores @p value, which counts as @p size bytes, unless there was an erasure since @p generation.
    void put(Key key, Value value, std::uint64_t size, std::uint64_t generation) {
        const std::uint64_t cost = size + entry_overhead;
        if (cost > bound_) return;
        used_.fetch_add(cost, std::memory_order_relaxed);
        while (used_.load(std::memory_order_relaxed) > bound_)
            if (!evict_oldest()) break;
        shard& home = shard_of(key);
        std::list<entry> discarded;
        {
            const std::lock_guard lock(home.mutex);
            // Space that other threads are filling cannot be evicted; this value is then not stored.
            if (home.generation != generation || used_.load(std::memory_order_relaxed) > bound_) {
                used_.fetch_sub(cost, std::memory_order_relaxed);
                return;
            }
            if (const auto old = home.table.find(key); old != home.table.end())
                home.unlink(old, discarded, used_);
            home.order.push_front(entry{key, std::move(value), cost, now()});
            home.table.emplace(std::move(key), home.order.begin());
            home.note_oldest();
        }
    }

    template <class K>
    void erase(const K& key) {
        shard& home = shard_of(key);
        std::list<entry> discarded;
        const std::lock_guard lock(home.mutex);
        ++home.generation;
        if (const auto found = home.table.find(key); found != home.table.end()) {
            home.unlink(found, discarded, used_);
            home.note_oldest();
        }
    }

    struct figures {
        std::uint64_t bytes = 0;
        std::uint64_t entries = 0;
        std::uint64_t hits = 0;
        std::uint64_t misses = 0;
        std::uint64_t evictions = 0;
    };
    figures statistics() const {
        figures sum;
        sum.bytes = used_.load(std::memory_order_relaxed);
        sum.evictions = evictions_.load(std::memory_order_relaxed);
        for (const shard& each : shards_) {
            const std::lock_guard lock(each.mutex);
            sum.entries += each.table.size();
            sum.hits += each.hits;
            sum.misses += each.misses;
        }
        return sum;
    }

    /// List node, hash node and their bookkeeping, beside the value's own size.
    static constexpr std::uint64_t entry_overhead = 192;

private:
    struct entry {
        Key key;
        Value value;
        std::uint64_t cost;
        std::int64_t used;
    };
    static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

    struct alignas(64) shard {
        mutable std::mutex mutex;
        std::list<entry> order;  // most recently used first
        std::unordered_map<Key, typename std::list<entry>::iterator, Hash, Equal> table;
        std::uint64_t generation = 0;
        std::uint64_t hits = 0;
        std::uint64_t misses = 0;
        std::atomic<std::int64_t> oldest{never};

        void note_oldest() {
            oldest.store(order.empty() ? never : order.back().used, std::memory_order_relaxed);
        }
        void unlink(typename decltype(table)::iterator found, std::list<entry>& into,
                    std::atomic<std::uint64_t>& used) {
            const auto at = found->second;
            table.erase(found);
            used.fetch_sub(at->cost, std::memory_order_relaxed);
            into.splice(into.begin(), order, at);
        }
    };

    static std::int64_t now() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

    template <class K>
    shard& shard_of(const K& key) {
        // The table takes the low bits of the hash, the shard the high ones.
        return shards_[(static_cast<std::uint64_t>(Hash{}(key)) * 0x9E3779B97F4A7C15ULL) >> 59];
    }

    bool evict_oldest() {
        shard* victim = nullptr;
        std::int64_t oldest = never;
        for (shard& each : shards_) {
            const auto candidate = each.oldest.load(std::memory_order_relaxed);
            if (candidate < oldest) {
                oldest = candidate;
                victim = &each;
            }
        }
        if (victim == nullptr) return false;
        std::list<entry> discarded;
        {
            const std::lock_guard lock(victim->mutex);
            if (!victim->order.empty()) {
                victim->unlink(victim->table.find(victim->order.back().key), discarded, used_);
                evictions_.fetch_add(1, std::memory_order_relaxed);
            }
            victim->note_oldest();
        }
        return true;
    }

    const std::uint64_t bound_;
    std::atomic<std::uint64_t> used_{0};
    std::atomic<std::uint64_t> evictions_{0};
    std::array<shard, 32> shards_;
};

}  // namespace gallery::kit
