// SPDX-License-Identifier: Apache-2.0
/// Bodies that were read and verified: small ones in memory, larger ones as open files.
#pragma once

#include <gallery/bounded_lru.hpp>
#include <gallery/bytes.hpp>
#include <gallery/kit/open_files.hpp>
#include <gallery/model.hpp>
#include <gallery/mutex.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace gallery::file_store {

/// The bytes of one save of one image; never reused, because revisions are not.
struct body_key {
    revision content_rev = 0;
    bool preview = false;

    friend bool operator==(const body_key&, const body_key&) = default;
};

/// Thread-safe. Two caches: one bounded in bytes, one in open files.
class body_cache {
public:
    body_cache(std::size_t max_bytes, std::size_t max_files) : small_(max_bytes), files_(max_files) {}

    /// A file that was written since it was stored here is removed and not returned.
    std::optional<body> find(const body_key& key);

    void put(const body_key& key, const bytes& content);
    /// As kit::open_files.
    [[nodiscard]] std::uint64_t generation() const { return files_.generation(); }
    void put(const body_key& key, std::shared_ptr<const file_handle> file, const kit::file_state& state,
             std::uint64_t generation);

    /// After a save or an erasure, so that its disk space is freed immediately.
    void drop(revision content_rev);

    /// Changes the bounds, and removes what exceeds them.
    void set_bounds(std::size_t max_bytes, std::size_t max_files);

    struct figures {
        std::size_t bytes = 0;
        std::size_t files = 0;
        std::uint64_t hits = 0;
        std::uint64_t misses = 0;
    };
    [[nodiscard]] figures statistics() const;

private:
    struct hash {
        std::size_t operator()(const body_key& key) const noexcept {
            return static_cast<std::size_t>((key.content_rev * 2 + (key.preview ? 1 : 0)) *
                                            0x9e3779b97f4a7c15ULL);
        }
    };
    mutable mutex mutex_;
    bounded_lru<body_key, bytes, hash> small_ GALLERY_GUARDED_BY(mutex_);
    kit::open_files<body_key, hash> files_;
    std::atomic<std::uint64_t> small_hits_{0};
};

}  // namespace gallery::file_store
