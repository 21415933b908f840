// SPDX-License-Identifier: Apache-2.0
/// Verified tokens, so that a token's signature is checked once and not with every request.
///
/// One instance belongs to one I/O thread, and nothing in it is locked. The threads share one
/// revocation_epoch. A token is compared by all of its characters, never by a hash alone. A hit is returned
/// only before the token's own expiry, and only if nothing was revoked since the token was verified. Code
/// that ends a session, disables a user or changes a role calls revocation_epoch::bump(). After that every
/// thread verifies every token again, once.
#pragma once

#include "cache/keyed_hash.hpp"
#include "cache/spin_lock.hpp"

#include <malloc.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

namespace gallery::cache {

/// Counts revocations. One per server, shared by all threads; must outlive the caches that refer to it.
class revocation_epoch {
public:
    [[nodiscard]] std::uint64_t current() const noexcept { return epoch_.load(std::memory_order_acquire); }

    /// Call this after the revocation takes effect in the verification of tokens, and before it is
    /// acknowledged. A find() that begins after the return does not use earlier verifications.
    void bump() noexcept { epoch_.fetch_add(1, std::memory_order_acq_rel); }

private:
    alignas(cache_line) std::atomic<std::uint64_t> epoch_{0};
};

struct token_cache_counters {
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;  ///< including expired and revoked ones
    std::uint64_t evictions = 0;
    std::uint64_t bytes = 0;  ///< now, without the principals
    std::uint64_t entries = 0;
};

/// Maps a token to its principal; the least recently used entry is evicted. Belongs to one thread; only
/// counters() may be called by others.
template <class Principal>
class token_cache {
public:
    using pointer = std::shared_ptr<const Principal>;
    using time_point = std::chrono::system_clock::time_point;

    /// At most @p max_entries tokens in at most @p max_bytes, including the table but not the principals. 0
    /// of either disables the cache: nothing is found, stored, or allocated.
    token_cache(const revocation_epoch& epoch, std::size_t max_entries, std::size_t max_bytes)
        : epoch_(epoch), max_entries_(max_entries), max_bytes_(max_bytes), secret_(hash_secret()) {
        if (max_entries == 0 || max_bytes == 0) return;
        // A table for so many entries as there may be, but not so large that nothing else fits the bytes.
        table_.resize(std::bit_floor(std::min(std::bit_ceil(max_entries), max_bytes / 64 + 1)));
        table_bytes_ = charge_of(table_.data());
        add(bytes_, table_bytes_);
    }
    ~token_cache() {
        while (node* entry = newest_)
            remove(*entry);
    }
    token_cache(const token_cache&) = delete;
    token_cache& operator=(const token_cache&) = delete;

    /// The principal, or null if the token must be verified. @p now is the wall clock, to which a token's
    /// expiry refers. The pointer holds until the next call of a member that is not const. Never allocates;
    /// touches the reference count of no principal unless it removes one.
    [[nodiscard]] const pointer* find(std::string_view token, time_point now) noexcept {
        if (table_.empty()) return nullptr;
        const auto hash = hash_of(token);
        node* const entry = look_up(hash, token);
        if (entry != nullptr && entry->epoch == epoch_.current() && now < entry->expires_at) {
            add(hits_, 1);
            if (entry != newest_) {
                detach(*entry);
                attach_newest(*entry);
            }
            return &entry->principal;
        }
        if (entry != nullptr) remove(*entry);
        add(misses_, 1);
        return nullptr;
    }

    /// Stores the principal of a verified token until @p expires_at (the first moment at which it is
    /// invalid). @p epoch_before is revocation_epoch::current() from *before* the verification began, so a
    /// token that was revoked meanwhile is not stored. A token that does not fit is not stored, nor is any if
    /// memory is short.
    void insert(std::string_view token, pointer principal, time_point expires_at,
                std::uint64_t epoch_before) noexcept {
        if (table_.empty() || epoch_before != epoch_.current()) return;
        const auto hash = hash_of(token);
        if (node* const known = look_up(hash, token)) remove(*known);
        const auto size = sizeof(node) + token.size();
        // What the allocator may take at most: rounded up to 16 with a word of its own, and a remainder
        // of 16.
        const auto most = ((size + sizeof(std::size_t) + 15) & ~std::size_t{15}) + 16;
        if (table_bytes_ + most > max_bytes_) return;
        while (entries_.load(std::memory_order_relaxed) == max_entries_ ||
               bytes_.load(std::memory_order_relaxed) + most > max_bytes_) {
            remove(*oldest_);
            add(evictions_, 1);
        }
        void* const block = ::operator new(size, std::nothrow);
        if (block == nullptr) return;
        node*& slot = slot_of(hash);
        slot = ::new (block) node{.hash = hash,
                                  .next = slot,
                                  .text_size = token.size(),
                                  .epoch = epoch_before,
                                  .expires_at = expires_at,
                                  .principal = std::move(principal)};
        token.copy(slot->text(), token.size());
        attach_newest(*slot);
        add(bytes_, charge_of(slot));
        add(entries_, 1);
    }

    [[nodiscard]] token_cache_counters counters() const noexcept {
        constexpr auto relaxed = std::memory_order_relaxed;
        return {.hits = hits_.load(relaxed),
                .misses = misses_.load(relaxed),
                .evictions = evictions_.load(relaxed),
                .bytes = bytes_.load(relaxed),
                .entries = entries_.load(relaxed)};
    }

private:
    struct node {
        std::uint64_t hash;
        node* next;
        std::size_t text_size;
        std::uint64_t epoch;
        time_point expires_at;
        pointer principal;
        node* newer = nullptr;
        node* older = nullptr;

        [[nodiscard]] char* text() noexcept { return reinterpret_cast<char*>(this + 1); }
    };

    static std::size_t charge_of(void* block) noexcept {
        return malloc_usable_size(block) + sizeof(std::size_t);
    }
    /// The owning thread is the only writer; atomics let another one read the figures.
    static void add(std::atomic<std::uint64_t>& counter, std::uint64_t amount) noexcept {
        counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
    }

    /// Of a long token only both ends: behind its scheme is what it says, at its end the signature over that
    /// (86 letters at most), which no two tokens that were verified share and nobody knows who lacks the
    /// token.
    [[nodiscard]] std::uint64_t hash_of(std::string_view token) const noexcept {
        constexpr std::size_t front = 32;
        constexpr std::size_t back = 128;
        if (token.size() <= front + back) return keyed_hash(secret_, token);
        return keyed_hash(secret_, token.substr(token.size() - back),
                          keyed_hash(secret_, token.substr(0, front), token.size()));
    }

    [[nodiscard]] node*& slot_of(std::uint64_t hash) noexcept { return table_[hash & (table_.size() - 1)]; }

    /// Compares characters only if the whole secret hash is equal, so the duration reveals nothing about the
    /// tokens of others.
    [[nodiscard]] node* look_up(std::uint64_t hash, std::string_view token) noexcept {
        node* entry = slot_of(hash);
        while (entry != nullptr &&
               !(entry->hash == hash && std::string_view(entry->text(), entry->text_size) == token))
            entry = entry->next;
        return entry;
    }
    void detach(node& entry) noexcept {
        (entry.newer != nullptr ? entry.newer->older : newest_) = entry.older;
        (entry.older != nullptr ? entry.older->newer : oldest_) = entry.newer;
    }
    void attach_newest(node& entry) noexcept {
        entry.newer = nullptr;
        entry.older = newest_;
        (newest_ != nullptr ? newest_->newer : oldest_) = &entry;
        newest_ = &entry;
    }
    void remove(node& entry) noexcept {
        node** link = &slot_of(entry.hash);
        while (*link != &entry)
            link = &(*link)->next;
        *link = entry.next;
        detach(entry);
        bytes_.store(bytes_.load(std::memory_order_relaxed) - charge_of(&entry), std::memory_order_relaxed);
        entries_.store(entries_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
        // Tokens are secrets: they are erased before the memory is reused.
        explicit_bzero(entry.text(), entry.text_size);
        entry.~node();
        ::operator delete(&entry);
    }

    const revocation_epoch& epoch_;
    std::size_t max_entries_;
    std::size_t max_bytes_;
    std::array<std::uint64_t, 2> secret_;
    std::vector<node*> table_;
    std::size_t table_bytes_ = 0;
    node* newest_ = nullptr;
    node* oldest_ = nullptr;
    std::atomic<std::uint64_t> hits_{0};
    std::atomic<std::uint64_t> misses_{0};
    std::atomic<std::uint64_t> evictions_{0};
    std::atomic<std::uint64_t> bytes_{0};
    std::atomic<std::uint64_t> entries_{0};
};

}  // namespace gallery::cache
