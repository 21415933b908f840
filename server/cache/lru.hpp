// SPDX-License-Identifier: Apache-2.0
/// An exact least-recently-used cache for many threads, bounded in bytes.
///
/// **Guarantees.** The evicted entry is always the one with the oldest last use, a hit or a fill; all uses by
/// all threads are numbered in one order. The memory of entries and index never exceeds the bound, at any
/// moment and with any number of threads. A new entry evicts no more entries than necessary: there is one
/// budget, and memory does not fragment.
///
/// **Memory** is one mapping of at most the bound: the index, one word of four bytes per chain, and cells of
/// 128 bytes. An entry is one cell, which contains the key's text. A long text continues in further cells,
/// which may be anywhere, so any free cells can be used. Nothing else is allocated.
///
/// **How a hit stays cheap.** It takes the thread's own log and the lock of one chain of the index, both
/// uncontended as a rule, writes the number of this use into the entry and the entry into the log. The order
/// itself, a list, is touched only later, when a log is half full or something is to be removed, by the
/// thread that holds `order_`. Three invariants make that exact:
///  1. the list is sorted by `placed`, the number of the use for which an entry was last put in its place;
///  2. `stamp`, the number of the last use, is never less than `placed`;
///  3. where they differ, the entry is in some log.
/// So the oldest entry of the list is the least recently used one if and only if its two numbers are equal,
/// which eviction checks under the lock of its chain; where they differ it works off the logs first. A cell
/// is given away again only after its entry has left its chain and all logs have been worked off after that.
///
/// **Locks**, taken in this order: `order_`, a log's, a chain's.
#pragma once

#include "cache/keyed_hash.hpp"
#include "cache/page_memory.hpp"
#include "cache/spin_lock.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <mutex>
#include <new>
#include <optional>
#include <string_view>
#include <type_traits>

namespace gallery::cache {

/// The key of an entry; a view, of which nothing is kept. Scope and text name a *subject*. All variants of a
/// subject are erased together.
struct lru_key {
    std::array<std::uint64_t, 2> scope{};
    bool scoped = true;        ///< false: no scope, which differs from every scope
    std::uint8_t variant = 0;  ///< at most 127
    std::string_view text;     ///< at most 65,000 bytes; an entry with a longer text is not stored
};

/// The start of a fill; see lru::begin_fill().
class lru_ticket {
    template <class Value>
    friend class lru;
    explicit lru_ticket(std::uint64_t generation) noexcept : generation_(generation) {}
    std::uint64_t generation_;
};

/// Sums since the start, and two present amounts. Each is exact. They are read one after the other, so the
/// figures may be some operations apart.
struct lru_counters {
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;         ///< including look-ups of expired entries
    std::uint64_t fills = 0;          ///< stored values, including replacements
    std::uint64_t dropped_fills = 0;  ///< because of an erasure in between, or too large for the bound
    std::uint64_t evictions = 0;      ///< entries that were removed to free space
    std::uint64_t expiries = 0;       ///< entries removed because they had expired
    std::uint64_t erasures = 0;       ///< entries removed by erase() and clear()
    std::uint64_t bytes = 0;          ///< occupied now, including the index, which exists from the start
    std::uint64_t entries = 0;        ///< now
};

/// All members may be called by any thread at any time, except the constructor and the destructor.
/// The object itself has a fixed size of about 8 KiB, which is not counted; put it on the heap.
template <class Value>
class lru {
    static_assert(std::is_trivially_copyable_v<Value>, "values are copied under a spin lock");

public:
    using time_point = std::chrono::steady_clock::time_point;
    using duration = std::chrono::steady_clock::duration;

    /// @p max_bytes is rounded down to whole pages of memory (4 KiB). If that is 0, or @p time_to_live is
    /// less than a second, the cache is disabled: it stores nothing and uses no memory. @p incarnation: for a
    /// cache that takes the place of another one, a number that none before it had; tickets of the other one
    /// then fill nothing. Throws std::system_error if the memory cannot be mapped.
    lru(std::size_t max_bytes, duration time_to_live, std::uint32_t incarnation = 0);
    lru(const lru&) = delete;
    lru& operator=(const lru&) = delete;
    ~lru() = default;

    [[nodiscard]] bool enabled() const noexcept { return memory_.size() != 0; }
    [[nodiscard]] std::size_t max_bytes() const noexcept { return memory_.size(); }

    /// A hit is a use: it renews the entry's place in the order and its time to live, which starts at the @p
    /// now of the last use, in whole seconds. Entries that have reached time_to_live are removed, not found.
    /// @p now may be a coarse clock, read some time ago.
    [[nodiscard]] std::optional<Value> find(const lru_key& key, time_point now) noexcept;

    /// Call this *before* the value is read from its source. complete_fill() then does nothing if the subject
    /// was erased, or the cache cleared, in between. (Occasionally it also does nothing because another
    /// subject was erased: subjects share a fixed number of generation counters.)
    [[nodiscard]] lru_ticket begin_fill(const lru_key& key) const noexcept;

    /// Stores or replaces the value, as most recently used. Returns whether it was stored.
    bool complete_fill(lru_ticket ticket, const lru_key& key, const Value& value, time_point now) noexcept;

    /// Removes all variants of the key's subject and drops its fills in progress. After the return no thread
    /// finds the old entries. Returns how many were removed.
    std::size_t erase(const lru_key& subject) noexcept;

    /// The same for all entries. Takes about 0.1 µs per entry, but does not stop other threads for long.
    void clear() noexcept;

    /// Removes expired entries, which otherwise are removed by a look-up or an eviction. For a timer; costs
    /// little if there are none. Returns how many were removed.
    std::size_t sweep(time_point now) noexcept;

    [[nodiscard]] lru_counters counters() const noexcept;

    /// Bytes of an entry with a key, including its scope, of @p key_size bytes.
    [[nodiscard]] static constexpr std::size_t occupied(std::size_t key_size) noexcept {
        return cells_for(key_size) * cell_size;
    }

private:
    /// The number of a cell; 0 is none.
    using cell = std::uint32_t;

    static constexpr std::size_t cell_size = 128;  ///< bytes, two cache lines, which are loaded together

    struct header {
        // Written once, before the entry is in its chain.
        std::uint32_t hash;      ///< the upper half, which also chooses the chain
        std::uint16_t key_size;  ///< of scope and text
        std::uint8_t variant;    ///< and in the highest bit whether there is no scope
        // Under the lock of the chain; stamp is read without it.
        std::uint32_t last_used;  ///< seconds of the steady clock
        cell chain;
        // Under order_.
        cell newer;
        cell older;
        std::uint64_t placed;
        // Written under the lock of the chain.
        std::atomic<std::uint64_t> stamp;
    };
    static constexpr std::size_t inline_size = cell_size - sizeof(header) - sizeof(Value);

    struct alignas(cell_size) node : header {
        std::array<char, inline_size> key;  ///< scope, text; of a long text the beginning and a cell's number
        Value value;
    };
    static_assert(sizeof(node) == cell_size && inline_size >= 32, "the value is too large");

    struct alignas(cell_size) continuation {
        cell next;  ///< also links free cells
        std::array<char, cell_size - sizeof(cell)> key;
    };
    static_assert(sizeof(continuation) == cell_size);
    static constexpr std::size_t inline_part =
        inline_size - sizeof(cell);  ///< of a key that continues in another cell
    static constexpr std::size_t further_part = cell_size - sizeof(cell);

    static constexpr std::size_t cells_for(std::size_t key_size) noexcept {
        return key_size <= inline_size ? 1 : 1 + (key_size - inline_part + further_part - 1) / further_part;
    }
    static constexpr std::size_t max_key_size = 65'016;
    static constexpr std::size_t bytes_per_chain = 80;  ///< of the bound: 0.6 entries a chain when full
    static constexpr std::size_t log_capacity = 64;
    static constexpr std::size_t log_count = 16;
    static constexpr std::size_t generation_count = 256;
    static constexpr std::size_t batch = 256;  ///< removals for which order_ is held at a time

    struct alignas(cache_line) hit_log {
        spin_lock lock;
        std::atomic<std::uint32_t> size{0};  ///< written under lock
        std::atomic<std::uint64_t> hits{0};  ///< written under lock, as misses
        std::atomic<std::uint64_t> misses{0};
        std::array<cell, log_capacity> entries;
    };

    /// A key's hash and what else is compared.
    struct probe {
        const lru_key& key;
        std::uint64_t hash;
        std::uint8_t variant;
        std::size_t size;
    };
    [[nodiscard]] probe probe_of(const lru_key& key) const noexcept;
    [[nodiscard]] bool same_subject(const node& entry, const probe& wanted) const noexcept;
    [[nodiscard]] bool same(const node& entry, const probe& wanted) const noexcept {
        return entry.variant == wanted.variant && same_subject(entry, wanted);
    }
    /// The caller holds the lock of the chain.
    [[nodiscard]] cell look_up(cell head, const probe& wanted) const noexcept;

    [[nodiscard]] node& at(cell number) const noexcept {
        return *(reinterpret_cast<node*>(memory_.data()) + number);
    }
    [[nodiscard]] continuation& continuation_at(cell number) const noexcept {
        return *(reinterpret_cast<continuation*>(memory_.data()) + number);
    }
    [[nodiscard]] locked_head& chain_of(std::uint32_t upper_hash) const noexcept {
        return chains_[std::uint64_t{upper_hash} * chain_count_ >> 32];
    }
    [[nodiscard]] locked_head& chain_of(const probe& wanted) const noexcept {
        return chain_of(static_cast<std::uint32_t>(wanted.hash >> 32));
    }
    [[nodiscard]] static std::uint32_t seconds(time_point now) noexcept {
        return static_cast<std::uint32_t>(
            std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
    }
    [[nodiscard]] bool expired(const node& entry, std::uint32_t now) const noexcept {
        return std::int64_t{now} - std::int64_t{entry.last_used} >= time_to_live_;
    }
    std::uint64_t next_use() noexcept { return uses_.fetch_add(1, std::memory_order_relaxed) + 1; }
    static void add(std::atomic<std::uint64_t>& counter, std::uint64_t amount) noexcept {
        // One writer at a time, so no locked instruction.
        counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
    }

    void detach(node& entry) noexcept GALLERY_REQUIRES(order_);
    void place(cell number, std::uint64_t stamp, cell from) noexcept GALLERY_REQUIRES(order_);
    void work_off_logs() noexcept GALLERY_REQUIRES(order_);
    template <class Predicate>
    cell unchain(locked_head& chain, Predicate predicate) noexcept GALLERY_REQUIRES(order_);
    std::size_t retire(cell removed) noexcept GALLERY_REQUIRES(order_);
    bool remove_oldest(std::uint32_t now) noexcept GALLERY_REQUIRES(order_);
    bool make_room(std::size_t cells, std::uint32_t now) noexcept GALLERY_REQUIRES(order_);
    [[nodiscard]] cell take_cell() noexcept GALLERY_REQUIRES(order_);
    void give_cell(cell number) noexcept GALLERY_REQUIRES(order_);
    [[nodiscard]] cell make_entry(const probe& wanted, const Value& value, std::uint32_t now) noexcept
        GALLERY_REQUIRES(order_);
    void set_used(std::size_t cells) noexcept GALLERY_REQUIRES(order_);

    // Read by all, written by none.
    alignas(cache_line) page_memory memory_;
    std::array<std::uint64_t, 2> secret_;
    std::int64_t time_to_live_;  ///< seconds
    locked_head* chains_ = nullptr;
    std::uint64_t chain_count_ = 0;
    cell first_cell_ = 0;
    std::size_t cell_count_ = 0;

    alignas(cache_line) std::atomic<std::uint64_t> uses_{0};

    alignas(cache_line) patient_mutex order_;
    cell newest_ GALLERY_GUARDED_BY(order_) = 0;
    cell oldest_ GALLERY_GUARDED_BY(order_) = 0;
    cell free_ GALLERY_GUARDED_BY(order_) = 0;  ///< a list of free cells that were used before
    std::size_t untouched_ GALLERY_GUARDED_BY(order_) =
        0;  ///< number of cells at the end that were never used
    std::size_t used_ GALLERY_GUARDED_BY(order_) = 0;
    // Written under order_.
    std::atomic<std::uint64_t> bytes_{0};
    std::atomic<std::uint64_t> entries_{0};
    std::atomic<std::uint64_t> fills_{0};
    std::atomic<std::uint64_t> dropped_fills_{0};
    std::atomic<std::uint64_t> evictions_{0};
    std::atomic<std::uint64_t> expiries_{0};
    std::atomic<std::uint64_t> erasures_{0};

    std::array<hit_log, log_count> logs_;
    std::array<std::atomic<std::uint64_t>, generation_count> generations_{};
};

}  // namespace gallery::cache

#include "cache/lru_impl.hpp"
