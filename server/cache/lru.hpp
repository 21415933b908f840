/// An exact least-recently-used cache for many threads, bounded in bytes.
///
/// **Promises.** What is evicted is always the entry whose last use, a hit or a fill, lies furthest back; all
/// uses by all threads are numbered in one order. The memory that entries and index occupy never exceeds the
/// bound, at no moment and under any number of threads. An entry that fits evicts no more than it must: the
/// budget is one, not shared out.
///
/// **How a hit stays cheap.** It takes the thread's own log and the lock of one chain of the index, both
/// uncontended as a rule, writes the number of this use into the entry and the entry into the log. The order
/// itself, a list, is touched only later, when a log is half full or something is to be removed, by whoever
/// holds `order_`. Three invariants make that exact:
///  1. the list is sorted by `placed`, the number of the use for which an entry was last put in its place;
///  2. `stamp`, the number of the last use, is never less than `placed`;
///  3. where they differ, the entry is in some log.
/// So the oldest entry of the list is the least recently used one if and only if its two numbers are equal,
/// which eviction checks under the lock of its chain; where they differ it works off the logs first. An entry
/// is freed only after it has left its chain and all logs have been worked off after that.
///
/// **Locks**, taken in this order: `order_`, a log's, a chain's.
#pragma once

#include "cache/keyed_hash.hpp"
#include "cache/spin_lock.hpp"

#include <malloc.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string_view>
#include <type_traits>

namespace gallery::cache {

/// What an entry is found by; a view, nothing of it is kept. Kind, scope and text name a *subject*, all of
/// whose variants are erased together.
struct lru_key {
    std::array<std::uint64_t, 2> scope{};
    std::string_view text;  ///< at most 65,535 bytes; an entry with a longer one is not kept
    std::uint8_t kind = 0;  ///< tells apart subjects that would otherwise be named alike
    std::uint8_t variant = 0;
};

/// Where a fill began: see lru::begin_fill().
class lru_ticket {
    template <class Value>
    friend class lru;
    explicit lru_ticket(std::uint64_t generation) noexcept : generation_(generation) {}
    std::uint64_t generation_;
};

/// Sums since the start, and two present amounts. Counted exactly; read one after the other, so that figures
/// of one answer may be some operations apart.
struct lru_counters {
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;         ///< expired entries that were looked up among them
    std::uint64_t fills = 0;          ///< values put, replacements among them
    std::uint64_t dropped_fills = 0;  ///< because of an erasure in between, or too large for the bound
    std::uint64_t evictions = 0;      ///< entries that made room for others
    std::uint64_t expiries = 0;       ///< entries removed because their time was up
    std::uint64_t erasures = 0;       ///< entries removed by erase() and clear()
    std::uint64_t bytes = 0;          ///< occupied now, the index among them, which is there from the start
    std::uint64_t entries = 0;        ///< now
};

/// All members may be called by any thread at any time, except the constructor and the destructor.
/// The object itself has a fixed size of about 12 KiB, which is not counted; put it on the heap.
template <class Value>
class lru {
    static_assert(std::is_trivially_copyable_v<Value>, "values are copied under a spin lock");

public:
    using time_point = std::chrono::steady_clock::time_point;
    using duration = std::chrono::steady_clock::duration;

    /// @p max_bytes 0, or too few for the index and one entry, or a @p time_to_live of 0 disables the cache:
    /// nothing is ever found or kept, and nothing is allocated.
    lru(std::size_t max_bytes, duration time_to_live);
    ~lru();
    lru(const lru&) = delete;
    lru& operator=(const lru&) = delete;

    [[nodiscard]] bool enabled() const noexcept { return index_ != nullptr; }
    [[nodiscard]] std::size_t max_bytes() const noexcept { return max_bytes_; }

    /// A hit is a use: it renews the entry's place in the order and its time to live, which counts from the
    /// @p now of the last use. Entries of which that lies time_to_live or more back are removed, not found.
    /// @p now may be a coarse clock, read some time ago, but should not differ much between threads.
    /// Never allocates.
    [[nodiscard]] std::optional<Value> find(const lru_key& key, time_point now) noexcept;

    /// To be called *before* the value is read from where it comes from; complete_fill() then does nothing if
    /// the subject was erased, or the cache cleared, in between. (Now and then it also does nothing because
    /// another subject was erased: they share a fixed number of generation counters.)
    [[nodiscard]] lru_ticket begin_fill(const lru_key& key) const noexcept;

    /// Keeps or replaces the value, as most recently used. Returns whether it did. Allocates at most one
    /// block; where memory is short the value is not kept.
    bool complete_fill(lru_ticket ticket, const lru_key& key, const Value& value, time_point now) noexcept;

    /// Removes all variants of the key's subject and drops the fills of it that are under way. After the
    /// return no thread finds what was there before. Returns how many entries went.
    std::size_t erase(const lru_key& subject) noexcept;

    /// The same for everything. Takes a while (about 0.1 µs an entry), but stops no other thread for long.
    void clear() noexcept;

    /// Frees entries whose time is up, which otherwise happens when they are looked up or reached by
    /// eviction. For a timer; costs next to nothing when there are none. Returns how many went.
    std::size_t sweep(time_point now) noexcept;

    [[nodiscard]] lru_counters counters() const noexcept;

    /// Bytes that are made free before an entry whose text has @p text_size bytes is kept; at most 31 more
    /// than the entry's own bytes, and never less than it then occupies.
    [[nodiscard]] static constexpr std::size_t room_for(std::size_t text_size) noexcept {
        return largest_charge(sizeof(node) + text_size);
    }

private:
    struct node {
        // Written once, before the entry is in its chain.
        std::uint64_t hash;
        std::array<std::uint64_t, 2> scope;
        std::uint16_t text_size;
        std::uint8_t kind;
        std::uint8_t variant;
        std::uint32_t charge;  ///< bytes that the allocator gave away for this entry
        // Under the lock of the chain; stamp is read without it.
        node* chain;
        Value value;
        std::chrono::steady_clock::rep last_used;
        std::atomic<std::uint64_t> stamp;
        // Under order_.
        std::uint64_t placed;
        node* newer;
        node* older;

        [[nodiscard]] char* text() noexcept { return reinterpret_cast<char*>(this + 1); }
        [[nodiscard]] bool of_subject(std::uint64_t h, const lru_key& key) noexcept {
            return hash == h && kind == key.kind && scope == key.scope &&
                   std::string_view(text(), text_size) == key.text;
        }
    };
    using chain_head = locked_head<node>;

    static constexpr std::size_t log_capacity = 64;
    static constexpr std::size_t log_count = 16;
    static constexpr std::size_t generation_count = 256;
    static constexpr std::size_t batch = 256;  ///< removals for which order_ is held at a time

    struct alignas(cache_line) hit_log {
        spin_lock lock;
        std::atomic<std::uint32_t> size{0};  ///< written under lock
        std::atomic<std::uint64_t> hits{0};  ///< written under lock, as misses
        std::atomic<std::uint64_t> misses{0};
        std::array<node*, log_capacity> nodes;
    };

    /// Bytes that glibc's allocator takes for a block: its usable size and one word before it.
    static std::size_t charge_of(void* block) noexcept {
        return malloc_usable_size(block) + sizeof(std::size_t);
    }
    /// The most that charge_of() can be for a block of @p size bytes: it is rounded up to 16, and a free
    /// block that is larger by 16 is given away whole. Room is made for this much before anything is
    /// allocated.
    static constexpr std::size_t largest_charge(std::size_t size) noexcept {
        return ((size + sizeof(std::size_t) + 15) & ~std::size_t{15}) + 16;
    }
    /// One chain for so many bytes of the bound: about one per entry with a key of some 30 characters.
    static constexpr std::size_t bytes_per_chain = sizeof(node) + 64;

    [[nodiscard]] std::uint64_t hash_of(const lru_key& key) const noexcept {
        const auto scope = detail::fold(key.scope[0] ^ secret_[0], key.scope[1] ^ secret_[1]);
        return keyed_hash(secret_, key.text, scope + key.kind);
    }
    [[nodiscard]] chain_head& chain_of(std::uint64_t hash) const noexcept {
        __extension__ using wide = unsigned __int128;
        return index_[static_cast<std::size_t>(static_cast<wide>(hash) * chains_ >> 64)];
    }
    [[nodiscard]] std::atomic<std::uint64_t>& generation_of(std::uint64_t hash) noexcept {
        return generations_[hash % generation_count];
    }
    [[nodiscard]] bool expired(const node& entry, time_point now) const noexcept {
        return now.time_since_epoch().count() - entry.last_used >= time_to_live_;
    }
    std::uint64_t next_use() noexcept { return uses_.fetch_add(1, std::memory_order_relaxed) + 1; }
    static void add(std::atomic<std::uint64_t>& counter, std::uint64_t amount) noexcept {
        // One writer at a time, so no locked instruction.
        counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
    }

    // All below: the caller holds order_.
    void detach(node* entry) noexcept;
    void attach_before(node* entry, node* older) noexcept;
    void place(node* entry, std::uint64_t stamp, node* from) noexcept;
    void work_off_logs() noexcept;
    template <class Predicate>
    node* unchain(chain_head& chain, Predicate predicate) noexcept;
    std::size_t retire(node* removed) noexcept;
    bool remove_oldest(time_point now) noexcept;
    bool make_room(std::size_t bytes, time_point now) noexcept;

    // Read by all, written by none.
    alignas(cache_line) std::size_t max_bytes_;
    std::chrono::steady_clock::rep time_to_live_;
    std::array<std::uint64_t, 2> secret_;
    std::size_t chains_ = 0;
    std::unique_ptr<chain_head[]> index_;

    alignas(cache_line) std::atomic<std::uint64_t> uses_{0};

    alignas(cache_line) std::mutex order_;
    node* newest_ = nullptr;
    node* oldest_ = nullptr;
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
