// SPDX-License-Identifier: Apache-2.0
/// The ETag cache of the server: enough of a representation to answer 304 without reading the store.
///
/// It is in front of any storage plugin and shared by all I/O threads. On the hot path
///
///     if (auto known = cache.find(etag_key::image(tenant, key, which), now)) ...compare, answer 304
///
/// and after a miss, when the record is to be read:
///
///     const auto ticket = cache.begin_fill(key);  // before the store is read
///     auto record = co_await storage.find(...);
///     cache.complete_fill(ticket, key, entry_of(*record), now);
///
/// **A replaced ETag is never returned.** The writer of an image calls invalidate(), and invalidate_public()
/// if the image has a public key, after the commit of the store and before the write is acknowledged. The
/// change feed does the same for writes of other processes. A fill that read the old record either precedes
/// the invalidation, which removes it, or follows it and is dropped by its ticket.
///
/// **Another size** is another memory, which is empty at first. replace() makes it the one in use. A call on
/// another thread may have begun with the former memory, so that stays until release_replaced().
#pragma once

#include "cache/freshness.hpp"
#include "cache/lru.hpp"
#include "coding/content_coding.hpp"

#include <gallery/model.hpp>
#include <gallery/mutex.hpp>
#include <gallery/sha256.hpp>
#include <gallery/uuid.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace gallery::cache {

/// The data of a 304, and the data that decides whether it is sent.
struct etag_entry {
    sha256_digest digest{};                           ///< of the bytes of the ETag
    content_coding coded = content_coding::identity;  ///< how those bytes are coded; each coding has its own
    std::uint32_t flags = 0;         ///< the caller's: other data that the head of the 304 depends on
    gallery::revision revision = 0;  ///< of the record that this was taken from

    friend bool operator==(const etag_entry&, const etag_entry&) = default;
};

/// Names a representation by views; valid as long as the strings that it refers to.
class etag_key {
public:
    [[nodiscard]] static etag_key image(const tenant_id& tenant, std::string_view image_key,
                                        representation which,
                                        content_coding coded = content_coding::identity) noexcept;
    /// By public key, for public links.
    [[nodiscard]] static etag_key link(std::string_view public_key, representation which,
                                       content_coding coded = content_coding::identity) noexcept;

private:
    friend class etag_cache;
    lru_key key_;
};

extern template class lru<etag_entry>;

/// All members may be called by any thread at any time, except as they state; only the constructor and
/// prepare() throw.
class etag_cache {
public:
    using time_point = lru<etag_entry>::time_point;
    using ticket = lru_ticket;
    using memory = std::unique_ptr<lru<etag_entry>>;

    /// @p max_bytes: CACHE_SPECS_IMAGE_ETAGS_MAX_SIZE, rounded down to pages of 4 KiB; 0 disables. An image
    /// whose key has up to 24 characters takes 128 bytes, up to 144 characters 256. Throws std::system_error
    /// where so much memory cannot be mapped. @p time_to_live: CACHE_SPECS_IMAGE_ETAGS_TTL, counted from the
    /// last use; 0 keeps nothing, which disables as well. Nothing is found while @p fresh, which outlives the
    /// cache, does not hold.
    etag_cache(std::size_t max_bytes, std::chrono::minutes time_to_live,
               const freshness& fresh = always_fresh)
        : owned_(std::make_unique<lru<etag_entry>>(max_bytes, time_to_live)),
          entries_(owned_.get()),
          fresh_(fresh) {}

    [[nodiscard]] bool enabled() const noexcept { return entries().enabled(); }

    // Another size or time to live, as in the constructor. One thread at a time.

    /// Maps the memory; nothing uses it yet. Throws as the constructor.
    [[nodiscard]] memory prepare(std::size_t max_bytes, std::chrono::minutes time_to_live);
    /// All calls that begin from now on use @p next, of this cache's last prepare().
    void replace(memory next);
    /// Unmaps the former memory. Precondition: every call that began before replace() has ended.
    void release_replaced();

    /// The steady clock at the kernel's last tick, some milliseconds ago. It is cheap, and exact enough for
    /// lifetimes in minutes.
    [[nodiscard]] static time_point coarse_now() noexcept;

    /// @p now: steady clock, as coarse as the timers are. A hit renews the entry's life. Never allocates.
    [[nodiscard]] std::optional<etag_entry> find(const etag_key& key, time_point now) noexcept {
        if (!fresh_.holds(now)) [[unlikely]]
            return std::nullopt;
        return entries().find(key.key_, now);
    }

    /// See above. One ticket is valid for all representations and codings of its image or
    /// link.
    [[nodiscard]] ticket begin_fill(const etag_key& key) const noexcept {
        return entries().begin_fill(key.key_);
    }

    /// Whether the entry was stored; it is not, if the image was invalidated since begin_fill().
    bool complete_fill(ticket begun, const etag_key& key, const etag_entry& entry, time_point now) noexcept {
        return entries().complete_fill(begun, key.key_, entry, now);
    }

    /// Removes all entries of the image under its tenant and key. After the return no thread finds them.
    void invalidate(const tenant_id& tenant, std::string_view image_key) noexcept;

    /// The same under its public key.
    void invalidate_public(std::string_view public_key) noexcept;

    /// Removes all entries; for a gap in the change feed.
    void clear() noexcept { entries().clear(); }

    /// Removes expired entries; called by a timer about once a minute. Returns how many were removed.
    std::size_t sweep(time_point now) noexcept { return entries().sweep(now); }

    /// The sums include those of replaced memory.
    [[nodiscard]] lru_counters counters() const;

private:
    [[nodiscard]] lru<etag_entry>& entries() const noexcept {
        return *entries_.load(std::memory_order_acquire);
    }

    mutable mutex lock_;
    memory owned_ GALLERY_GUARDED_BY(lock_);
    std::vector<memory> replaced_ GALLERY_GUARDED_BY(lock_);
    lru_counters earlier_ GALLERY_GUARDED_BY(lock_);  ///< sums of memory that was released
    std::uint32_t incarnations_ GALLERY_GUARDED_BY(lock_) = 0;
    std::atomic<lru<etag_entry>*> entries_;
    const freshness& fresh_;
};

}  // namespace gallery::cache
