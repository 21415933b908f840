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

#include <gallery/bounded_lru.hpp>
#include <gallery/mutex.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

namespace gallery::kit {

/// Value: cheap to copy (a shared pointer). Hash and Equal may be transparent.
template <class Key, class Value, class Hash, class Equal = std::equal_to<>>
class byte_lru {
public:
    explicit byte_lru(std::uint64_t bound) : bound_(bound) {}

    template <class K>
    std::optional<Value> find(const K& key) {
        shard& own_shard = shard_of(key);
        const lock_guard lock(own_shard.mutex);
        auto* const found = own_shard.entries.find(key);
        if (found == nullptr) {
            ++own_shard.misses;
            return std::nullopt;
        }
        ++own_shard.hits;
        found->value.used = now();
        own_shard.note_oldest();
        return found->value.value;
    }

    template <class K>
    std::uint64_t generation(const K& key) {
        shard& own_shard = shard_of(key);
        const lock_guard lock(own_shard.mutex);
        return own_shard.generation;
    }

    /// Stores @p value, which counts as @p size bytes, unless there was an erasure since @p generation.
    void put(Key key, Value value, std::uint64_t size, std::uint64_t generation) {
        const std::uint64_t cost = size + entry_overhead;
        if (cost > bound()) return;
        shard& own_shard = shard_of(key);
        auto made =
            std::make_unique<typename entry_map::entry>(std::move(key), stamped{std::move(value), now()});
        used_.fetch_add(cost, std::memory_order_relaxed);
        while (used_.load(std::memory_order_relaxed) > bound())
            if (!evict_oldest()) break;
        typename entry_map::handle discarded;  // destroyed when the lock is released
        const lock_guard lock(own_shard.mutex);
        // Space that other threads are filling cannot be evicted; this value is then not stored.
        if (own_shard.generation != generation || used_.load(std::memory_order_relaxed) > bound()) {
            used_.fetch_sub(cost, std::memory_order_relaxed);
            return;
        }
        discarded = remove(own_shard, own_shard.entries.peek(made->key));
        own_shard.entries.insert(std::move(made), cost);
        own_shard.note_oldest();
    }

    template <class K>
    void erase(const K& key) {
        shard& own_shard = shard_of(key);
        typename entry_map::handle discarded;
        const lock_guard lock(own_shard.mutex);
        ++own_shard.generation;
        discarded = remove(own_shard, own_shard.entries.peek(key));
    }

    /// Changes the bound, and evicts what exceeds it. Values that other threads are storing may exceed a
    /// lower bound until the next put().
    void set_bound(std::uint64_t bound) {
        bound_.store(bound, std::memory_order_relaxed);
        while (used_.load(std::memory_order_relaxed) > bound)
            if (!evict_oldest()) break;
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
            const lock_guard lock(each.mutex);
            sum.entries += each.entries.size();
            sum.hits += each.hits;
            sum.misses += each.misses;
        }
        return sum;
    }

    /// An entry's node, its place in the table and their bookkeeping, beside the value's own size.
    static constexpr std::uint64_t entry_overhead = 160;

private:
    struct stamped {
        Value value;
        std::int64_t used;
    };
    using entry_map = bounded_lru<Key, stamped, Hash, Equal>;
    static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

    struct alignas(64) shard {
        mutable gallery::mutex mutex;
        /// used_ is bounded instead.
        entry_map entries GALLERY_GUARDED_BY(mutex){std::numeric_limits<std::uint64_t>::max()};
        std::uint64_t generation GALLERY_GUARDED_BY(mutex) = 0;
        std::uint64_t hits GALLERY_GUARDED_BY(mutex) = 0;
        std::uint64_t misses GALLERY_GUARDED_BY(mutex) = 0;
        std::atomic<std::int64_t> oldest{never};

        void note_oldest() GALLERY_REQUIRES(mutex) {
            const auto* const first = entries.oldest();
            oldest.store(first == nullptr ? never : first->value.used, std::memory_order_relaxed);
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
        typename entry_map::handle discarded;
        const lock_guard lock(victim->mutex);
        discarded = remove(*victim, victim->entries.oldest());
        if (discarded) evictions_.fetch_add(1, std::memory_order_relaxed);
        return true;
    }

    /// Takes an entry out of a locked shard; @p which may be null.
    typename entry_map::handle remove(shard& own_shard, typename entry_map::entry* which)
        GALLERY_REQUIRES(own_shard.mutex) {
        if (which == nullptr) return nullptr;
        used_.fetch_sub(which->cost(), std::memory_order_relaxed);
        auto removed = own_shard.entries.extract(*which);
        own_shard.note_oldest();
        return removed;
    }

    [[nodiscard]] std::uint64_t bound() const noexcept { return bound_.load(std::memory_order_relaxed); }

    std::atomic<std::uint64_t> bound_;
    std::atomic<std::uint64_t> used_{0};
    std::atomic<std::uint64_t> evictions_{0};
    std::array<shard, 32> shards_;
};

}  // namespace gallery::kit
