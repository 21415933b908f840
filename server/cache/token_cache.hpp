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

#include <gallery/bounded_lru.hpp>

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

/// A secret text that is erased before its memory is reused.
class secret_text {
public:
    explicit secret_text(std::string_view text) : text_(new char[text.size()]), size_(text.size()) {
        text.copy(text_.get(), text.size());
    }
    secret_text(secret_text&& other) noexcept
        : text_(std::move(other.text_)), size_(std::exchange(other.size_, 0)) {}
    secret_text& operator=(secret_text&&) = delete;
    ~secret_text() {
        if (text_) explicit_bzero(text_.get(), size_);
    }
    [[nodiscard]] std::string_view view() const noexcept { return {text_.get(), size_}; }

    friend bool operator==(const secret_text& a, std::string_view b) noexcept { return a.view() == b; }

private:
    std::unique_ptr<char[]> text_;
    std::size_t size_;
};

/// Of a long token only both ends: its claims follow the scheme, at its end is the signature over that (86
/// letters at most), which no two verified tokens share, and which a client without the token cannot guess.
/// Keys are compared only if the whole secret hash is equal, so the duration of a look-up reveals nothing
/// about the tokens of others.
class token_hash {
public:
    token_hash() : secret_(hash_secret()) {}
    std::size_t operator()(std::string_view token) const noexcept {
        constexpr std::size_t front = 32;
        constexpr std::size_t back = 128;
        if (token.size() <= front + back) return keyed_hash(secret_, token);
        return keyed_hash(secret_, token.substr(token.size() - back),
                          keyed_hash(secret_, token.substr(0, front), token.size()));
    }
    std::size_t operator()(const secret_text& token) const noexcept { return (*this)(token.view()); }

private:
    std::array<std::uint64_t, 2> secret_;
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
        : epoch_(epoch), max_entries_(max_entries), tokens_(max_bytes) {
        if (max_entries == 0 || max_bytes == 0) return;
        // A table for so many entries as there may be, but not so large that nothing else fits the bytes.
        tokens_.reserve(std::bit_floor(std::min(std::bit_ceil(max_entries), max_bytes / 64 + 1)));
        table_bytes_ = charge_of(tokens_.table());
        note_size();
    }
    token_cache(const token_cache&) = delete;
    token_cache& operator=(const token_cache&) = delete;

    /// The principal, or null if the token must be verified. @p now is the wall clock, to which a token's
    /// expiry refers. The pointer holds until the next call of a member that is not const. Never allocates;
    /// touches the reference count of no principal unless it removes one.
    [[nodiscard]] const pointer* find(std::string_view token, time_point now) noexcept {
        auto* const entry = tokens_.find(token);
        if (entry != nullptr) {
            const verified& known = entry->value;
            if (known.epoch == epoch_.current() && now < known.expires_at) {
                add(hits_, 1);
                return &known.principal;
            }
            tokens_.extract(*entry);
            note_size();
        }
        if (table_bytes_ > 0) add(misses_, 1);
        return nullptr;
    }

    /// Stores the principal of a verified token until @p expires_at (the first moment at which it is
    /// invalid). @p epoch_before is revocation_epoch::current() from *before* the verification began, so a
    /// token that was revoked meanwhile is not stored. A token that does not fit is not stored, nor is any if
    /// memory is short.
    void insert(std::string_view token, pointer principal, time_point expires_at,
                std::uint64_t epoch_before) noexcept {
        if (table_bytes_ == 0 || epoch_before != epoch_.current()) return;
        tokens_.erase(token);
        if (table_bytes_ + most_of(sizeof(node)) + most_of(token.size()) <= tokens_.bound()) {
            while (tokens_.size() == max_entries_)
                tokens_.evict();
            tokens_.make_room(table_bytes_ + most_of(sizeof(node)) + most_of(token.size()));
            store(token, {epoch_before, expires_at, std::move(principal)});
        }
        note_size();
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
    struct verified {
        std::uint64_t epoch;
        time_point expires_at;
        pointer principal;
    };
    using token_map = bounded_lru<secret_text, verified, token_hash>;
    using node = typename token_map::entry;

    /// What the allocator may take for a block at most: rounded up to 16 with a word of its own, and a
    /// remainder of 16.
    static constexpr std::size_t most_of(std::size_t size) noexcept {
        return ((size + sizeof(std::size_t) + 15) & ~std::size_t{15}) + 16;
    }
    static std::size_t charge_of(const void* block) noexcept {
        return malloc_usable_size(const_cast<void*>(block)) + sizeof(std::size_t);
    }

    void store(std::string_view token, verified known) noexcept {
        try {
            auto made = std::make_unique<node>(secret_text(token), std::move(known));
            const auto charge = charge_of(made.get()) + charge_of(made->key.view().data());
            tokens_.insert(std::move(made), charge);
        } catch (const std::bad_alloc&) {
            return;
        }
    }

    /// The owning thread is the only writer; atomics let another one read the figures.
    static void add(std::atomic<std::uint64_t>& counter, std::uint64_t amount) noexcept {
        counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
    }
    void note_size() noexcept {
        bytes_.store(table_bytes_ + tokens_.cost(), std::memory_order_relaxed);
        entries_.store(tokens_.size(), std::memory_order_relaxed);
        evictions_.store(tokens_.evictions(), std::memory_order_relaxed);
    }

    const revocation_epoch& epoch_;
    const std::size_t max_entries_;
    token_map tokens_;
    std::size_t table_bytes_ = 0;
    std::atomic<std::uint64_t> hits_{0};
    std::atomic<std::uint64_t> misses_{0};
    std::atomic<std::uint64_t> evictions_{0};
    std::atomic<std::uint64_t> bytes_{0};
    std::atomic<std::uint64_t> entries_{0};
};

}  // namespace gallery::cache
