// SPDX-License-Identifier: Apache-2.0
/// A preallocated file that keeps space on the store's disk for writes that must succeed on a full disk.
///
/// The file is shortened, a few MiB at a time, when a write that may use the reserve finds less space than
/// that. Small writes may use half of the file, erasures all of it, image bytes none. The file gets its full
/// length again as soon as this leaves enough free space.
///
/// Another process can use the released space. RocksDB then fails with NoSpace, and the engine releases more.
///
/// Threads: all functions from any thread.
#pragma once

#include <gallery/error.hpp>
#include <gallery/mutex.hpp>

#include <atomic>
#include <cstdint>
#include <string>

namespace gallery::rocks {

/// How much of the reserve a write may use.
enum class reserve_share : std::uint8_t { none, half, all };

class disk_reserve {
public:
    disk_reserve() = default;
    disk_reserve(const disk_reserve&) = delete;
    disk_reserve& operator=(const disk_reserve&) = delete;
    ~disk_reserve();

    /// Opens or creates the file at @p path and completes it if there is space. Its full length is @p bytes,
    /// but at most an eighth of the file system. If the file cannot be opened, there is no reserve.
    void open(const std::string& path, std::uint64_t bytes);

    /// Decides whether a write that adds about @p bytes to the disk may start, and releases space for it if
    /// needed. False if it would use space that is reserved for other writes.
    bool admit(std::uint64_t bytes, reserve_share share);

    /// Releases all space that @p share may use. False if there is none.
    bool release(reserve_share share);

    /// Extends the file to its full length, or as far as space remains free. True if it is complete.
    bool complete();

    /// Whether a small write of this many bytes fits into the free space.
    [[nodiscard]] bool has_free(std::uint64_t bytes) const;

    /// Whether the reserve is incomplete, or little space besides it is free.
    [[nodiscard]] bool is_short() const;

    /// Bytes that are free on the disk, for a process without privileges.
    [[nodiscard]] std::uint64_t free_bytes() const;
    /// Present and full length of the file.
    [[nodiscard]] std::uint64_t held() const noexcept { return held_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
    /// Space that must stay free besides the reserve, for small writes and for RocksDB's own files.
    [[nodiscard]] std::uint64_t margin() const noexcept { return margin_; }

private:
    [[nodiscard]] std::uint64_t floor_of(reserve_share share) const noexcept;
    bool shorten_to(std::uint64_t length) GALLERY_REQUIRES(mutex_);

    std::string path_;
    int descriptor_ = -1;
    std::uint64_t size_ = 0;
    std::uint64_t margin_ = 0;
    std::uint64_t step_ = 0;       // released at a time
    std::uint64_t low_water_ = 0;  // with less free space than this a small write might not fit
    std::atomic<std::uint64_t> held_{0};
    mutex mutex_;  ///< held while the length of the file changes
};

}  // namespace gallery::rocks
