// SPDX-License-Identifier: Apache-2.0
/// A map with an order of use and a bound: the least recently used entry is evicted first.
///
/// Every least-recently-used cache of the server and the engines is one of these, except the etag cache,
/// which many threads use at the same time. An entry is one allocation: a node that is in a chain of the hash
/// table and in the list of uses. Each operation is O(1), apart from the growth of the table. The sum of the
/// costs of all entries is at most the bound, unless recharge() raises it or set_bound() lowers the bound.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace gallery {

/// Hashes texts of any kind, so that a map with keys of std::string is searched with views.
struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
        return std::hash<std::string_view>{}(text);
    }
};

/// Not thread-safe. Hash and Equal may be transparent. Key and Value need not be copyable. References to an
/// entry are valid until it is removed.
template <class Key, class Value, class Hash = std::hash<Key>, class Equal = std::equal_to<>>
class bounded_lru {
public:
    class entry {
    public:
        entry(Key k, Value v) : key(std::move(k)), value(std::move(v)) {}
        entry(const entry&) = delete;
        entry& operator=(const entry&) = delete;
        ~entry() = default;

        const Key key;
        Value value;
        [[nodiscard]] std::uint64_t cost() const noexcept { return cost_; }
        /// The entry that was used directly after this one; null for the last one.
        [[nodiscard]] entry* newer() const noexcept { return newer_; }

    private:
        friend class bounded_lru;
        std::uint64_t cost_ = 0;
        std::size_t hash_ = 0;
        entry* next_ = nullptr;  ///< in the chain
        entry* newer_ = nullptr;
        entry* older_ = nullptr;
    };
    /// An entry outside the map.
    using handle = std::unique_ptr<entry>;

    /// The bound is in the unit of the costs: bytes, or entries that cost 1 each.
    explicit bounded_lru(std::uint64_t bound, Hash hash = {}) : bound_(bound), hash_(std::move(hash)) {}
    ~bounded_lru() { clear(); }
    bounded_lru(const bounded_lru&) = delete;
    bounded_lru& operator=(const bounded_lru&) = delete;

    /// The entry with this key, which becomes the most recently used one; null if there is none. Does not
    /// allocate.
    template <class K>
    [[nodiscard]] entry* find(const K& key) noexcept {
        entry* const found = look_up(hash_(key), key);
        if (found != nullptr) use(*found);
        return found;
    }

    /// As find(), without being a use.
    template <class K>
    [[nodiscard]] entry* peek(const K& key) noexcept {
        return look_up(hash_(key), key);
    }

    /// Makes @p what the most recently used entry.
    void use(entry& what) noexcept {
        if (&what == newest_) return;
        unlink_order(what);
        link_newest(what);
    }

    /// Stores a value as the most recently used entry in place of the one with the same key, and evicts
    /// others until it fits. Null, and no change but the removal of the old one, if it costs more than the
    /// bound.
    entry* put(Key key, Value value, std::uint64_t cost) {
        erase(key);
        if (!make_room(cost)) return nullptr;
        return insert(std::make_unique<entry>(std::move(key), std::move(value)), cost);
    }

    /// Stores an entry that was made or extracted before. Preconditions: no entry has its key, and it fits
    /// (make_room()).
    entry* insert(handle made, std::uint64_t cost) {
        if (size_ >= table_.size()) grow(std::max<std::size_t>(16, table_.size() * 2));
        entry* const stored = made.release();
        stored->cost_ = cost;
        stored->hash_ = hash_(stored->key);
        entry*& head = chain_of(stored->hash_);
        stored->next_ = std::exchange(head, stored);
        link_newest(*stored);
        cost_ += cost;
        ++size_;
        return stored;
    }

    /// Evicts entries until another one of this cost fits. False, and no change, if none of this cost can.
    bool make_room(std::uint64_t cost) noexcept {
        if (cost > bound_) return false;
        while (cost_ > bound_ - cost)
            evict();
        return true;
    }

    /// Changes what an entry costs. Evicts nothing; the owner does, if the bound is exceeded.
    void recharge(entry& what, std::uint64_t cost) noexcept {
        cost_ = cost_ - what.cost_ + cost;
        what.cost_ = cost;
    }

    template <class K>
    bool erase(const K& key) noexcept {
        entry* const found = peek(key);
        return found != nullptr && extract(*found) != nullptr;
    }

    /// Takes an entry out, for instance to destroy it when a lock is released.
    handle extract(entry& what) noexcept {
        entry** link = &chain_of(what.hash_);
        while (*link != &what)
            link = &(*link)->next_;
        *link = what.next_;
        unlink_order(what);
        cost_ -= what.cost_;
        --size_;
        return handle(&what);
    }

    /// Changes the bound. Evicts nothing; the owner does, for instance by make_room(0).
    void set_bound(std::uint64_t bound) noexcept { bound_ = bound; }

    /// Takes the least recently used entry out, and counts that as an eviction. Precondition: not empty.
    handle evict() noexcept {
        ++evictions_;
        return extract(*oldest_);
    }

    void clear() noexcept {
        while (oldest_ != nullptr)
            extract(*oldest_);
    }

    /// The least recently used entry, and from there by newer() to the most recently used one; null if empty.
    [[nodiscard]] entry* oldest() const noexcept { return oldest_; }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::uint64_t cost() const noexcept { return cost_; }
    [[nodiscard]] std::uint64_t bound() const noexcept { return bound_; }
    [[nodiscard]] std::uint64_t evictions() const noexcept { return evictions_; }

    /// Makes the table for so many entries once. @p chains is rounded up to a power of two.
    void reserve(std::size_t chains) {
        if (chains > table_.size()) grow(std::bit_ceil(chains));
    }
    /// The block of the table, so that an owner can ask the allocator for its size; null before there is one.
    [[nodiscard]] const void* table() const noexcept { return table_.data(); }

private:
    [[nodiscard]] entry*& chain_of(std::size_t hash) noexcept {
        // Multiplied first, because std::hash of a number is that number.
        const auto mixed = static_cast<std::uint64_t>(hash) * 0x9E37'79B9'7F4A'7C15;
        return table_[static_cast<std::size_t>(mixed >> 32U) & mask_];
    }

    template <class K>
    [[nodiscard]] entry* look_up(std::size_t hash, const K& key) noexcept {
        if (table_.empty()) return nullptr;
        entry* at = chain_of(hash);
        // Keys are compared only if the whole hashes are equal.
        while (at != nullptr && !(at->hash_ == hash && Equal{}(at->key, key)))
            at = at->next_;
        return at;
    }

    void grow(std::size_t chains) {
        std::vector<entry*> larger(chains);
        table_.swap(larger);
        mask_ = chains - 1;
        for (entry* at = oldest_; at != nullptr; at = at->newer_) {
            entry*& head = chain_of(at->hash_);
            at->next_ = std::exchange(head, at);
        }
    }

    void unlink_order(entry& what) noexcept {
        (what.newer_ != nullptr ? what.newer_->older_ : newest_) = what.older_;
        (what.older_ != nullptr ? what.older_->newer_ : oldest_) = what.newer_;
    }

    void link_newest(entry& what) noexcept {
        what.newer_ = nullptr;
        what.older_ = newest_;
        (newest_ != nullptr ? newest_->newer_ : oldest_) = &what;
        newest_ = &what;
    }

    std::uint64_t bound_;
    [[no_unique_address]] Hash hash_;
    std::vector<entry*> table_;  ///< the first entry of each chain; a power of two, or none yet
    std::size_t mask_ = 0;
    entry* newest_ = nullptr;
    entry* oldest_ = nullptr;
    std::uint64_t cost_ = 0;
    std::size_t size_ = 0;
    std::uint64_t evictions_ = 0;
};

}  // namespace gallery
