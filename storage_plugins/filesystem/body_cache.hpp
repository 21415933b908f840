// SPDX-License-Identifier: Apache-2.0
/// Bodies that were read and verified: small ones in memory, larger ones as open files.
#pragma once

#include <gallery/bytes.hpp>
#include <gallery/model.hpp>

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace gallery::file_store {

/// Identifies one state of a file.
struct file_state {
    std::uint64_t inode = 0;
    std::uint64_t size = 0;
    std::int64_t modified = 0;  ///< nanoseconds since 1970
    std::int64_t changed = 0;   ///< of the inode; unlike the time above it cannot be set

    friend bool operator==(const file_state&, const file_state&) = default;
};
/// Empty if fstat fails.
std::optional<file_state> state_of(int descriptor);

/// Whether a write after this moment gives the file another state. File systems count time in steps, and two
/// writes within one step leave the same time.
bool tells_later_writes(const file_state& state);

/// The bytes of one save of one image; never reused, because revisions are not.
struct body_key {
    revision content_rev = 0;
    bool preview = false;

    friend bool operator==(const body_key&, const body_key&) = default;
};

/// Thread-safe. Two exact LRU lists: one bounded in bytes, one in open files.
class body_cache {
public:
    body_cache(std::size_t max_bytes, std::size_t max_files) : max_bytes_(max_bytes), max_files_(max_files) {}

    /// A file that was written since it was stored here is removed and not returned. Writes without a trace
    /// in the inode are not detected: to the disk's device, or while the clock is set back.
    std::optional<body> find(const body_key& key);

    void put(const body_key& key, const bytes& content);
    void put(const body_key& key, std::shared_ptr<const file_handle> file, const file_state& state);

    /// After a save or an erasure, so that its disk space is freed immediately.
    void drop(revision content_rev);

    struct figures {
        std::size_t bytes = 0;
        std::size_t files = 0;
        std::uint64_t hits = 0;
        std::uint64_t misses = 0;
    };
    [[nodiscard]] figures statistics() const;

private:
    struct entry {
        body_key key;
        bytes content;  ///< if file is null
        std::shared_ptr<const file_handle> file;
        file_state state;
        [[nodiscard]] std::size_t cost() const noexcept { return content.size() + 200; }
    };
    struct hash {
        std::size_t operator()(const body_key& key) const noexcept {
            return static_cast<std::size_t>((key.content_rev * 2 + (key.preview ? 1 : 0)) *
                                            0x9e3779b97f4a7c15ULL);
        }
    };
    using list = std::list<entry>;

    list& list_of(const entry& e) noexcept { return e.file ? files_ : small_; }
    void remove(list::iterator where);
    void add(entry e);

    const std::size_t max_bytes_;
    const std::size_t max_files_;
    mutable std::mutex mutex_;
    std::size_t bytes_ = 0;
    list small_;  ///< most recently used first
    list files_;
    std::unordered_map<body_key, list::iterator, hash> entries_;
    std::uint64_t hits_ = 0;
    std::uint64_t misses_ = 0;
};

}  // namespace gallery::file_store
