// SPDX-License-Identifier: Apache-2.0
/// Files of bodies that were read and verified, kept open to be sent with sendfile.
///
/// A body in a file need not be hashed again while the file is known to be unchanged: its inode, size and
/// times are those of the moment before it was hashed. The kernel sets the time of change at every write, and
/// no program can set it. Writes without a trace in the inode are not detected: to the disk's device, or
/// while the clock is set back.
#pragma once

#include <gallery/bounded_lru.hpp>
#include <gallery/bytes.hpp>
#include <gallery/mutex.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace gallery::kit {

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

/// A quarter of the process's limit of open files, if @p wanted is more.
std::size_t bounded_by_limit(std::size_t wanted);

/// The least recently used file is closed first. Each key names bytes that never change. Thread-safe.
template <class Key, class Hash>
class open_files {
public:
    explicit open_files(std::size_t bound) : files_(bound) {}

    /// The whole file. One that was written since it was stored here is removed and not returned.
    std::optional<body> find(const Key& key) {
        open_file known;
        {
            const lock_guard lock(mutex_);
            const auto* found = files_.find(key);
            if (found == nullptr) {
                misses_.fetch_add(1, std::memory_order_relaxed);
                return std::nullopt;
            }
            known = found->value;
        }
        if (state_of(known.file->descriptor()) == known.state) {
            hits_.fetch_add(1, std::memory_order_relaxed);
            return body(file_region{std::move(known.file), 0, known.state.size});
        }
        misses_.fetch_add(1, std::memory_order_relaxed);
        const lock_guard lock(mutex_);
        if (auto* found = files_.peek(key); found != nullptr && found->value.file == known.file)
            files_.extract(*found);
        return std::nullopt;
    }

    /// Before the file is opened, for put().
    [[nodiscard]] std::uint64_t generation() const { return generation_.load(); }

    /// Stores a file of which @p state was read before it was hashed. Does nothing if its later changes would
    /// not be detected, or if anything was erased since @p generation: a file that was removed meanwhile
    /// would keep its space on the disk.
    void put(const Key& key, std::shared_ptr<const file_handle> file, const file_state& state,
             std::uint64_t generation) {
        if (!tells_later_writes(state)) return;
        const lock_guard lock(mutex_);
        if (generation_.load() == generation) files_.put(key, {std::move(file), state}, 1);
    }

    /// Before the file is removed, so that its space is freed.
    void erase(const Key& key) {
        const lock_guard lock(mutex_);
        generation_.fetch_add(1);
        files_.erase(key);
    }

    /// Changes the bound, and closes what exceeds it.
    void set_bound(std::size_t bound) {
        const lock_guard lock(mutex_);
        files_.set_bound(bound);
        files_.make_room(0);
    }

    struct figures {
        std::size_t files = 0;
        std::uint64_t hits = 0;
        std::uint64_t misses = 0;
    };
    [[nodiscard]] figures statistics() const {
        const lock_guard lock(mutex_);
        return {files_.size(), hits_.load(std::memory_order_relaxed),
                misses_.load(std::memory_order_relaxed)};
    }

private:
    struct open_file {
        std::shared_ptr<const file_handle> file;
        file_state state;
    };
    mutable mutex mutex_;
    bounded_lru<Key, open_file, Hash> files_ GALLERY_GUARDED_BY(mutex_);  ///< each costs 1
    std::atomic<std::uint64_t> generation_{0};
    std::atomic<std::uint64_t> hits_{0};
    std::atomic<std::uint64_t> misses_{0};
};

}  // namespace gallery::kit
