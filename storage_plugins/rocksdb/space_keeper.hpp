// SPDX-License-Identifier: Apache-2.0
/// Frees space on a full disk, and resumes RocksDB after it ran out of space.
///
/// Erasing an image only adds a tombstone. Its bytes leave the disk when the write-ahead log that contains
/// them is deleted, and when their blob file has no live bytes. RocksDB does both with a delay. While the
/// disk is short of space, this class does them immediately. It flushes the memtables, which ends old logs.
/// It compacts the entries of the bodies, which drops blob files without live bytes. Then it moves the live
/// bytes out of the oldest blob files, as many files at a time as the free space allows.
///
/// Threads: wake() and note_error() from any thread, never blocking; the work is done on a thread of its own.
#pragma once

#include <gallery/mutex.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

namespace gallery::rocks {

class engine;

class space_keeper {
public:
    explicit space_keeper(engine& of) : engine_(of) {}
    space_keeper(const space_keeper&) = delete;
    space_keeper& operator=(const space_keeper&) = delete;
    ~space_keeper() { join(); }

    void start();
    /// Interrupts the work; join() waits for its end.
    void stop();
    void join();

    /// The disk is short of space.
    void wake();
    /// Bytes of images were written or erased, so there may be space to reclaim.
    void note_change() noexcept { changed_since_.store(true, std::memory_order_relaxed); }
    /// RocksDB ran out of space in the background.
    void note_error();

private:
    void run();
    void wait_until_stopped(std::chrono::steady_clock::time_point deadline) GALLERY_REQUIRES(mutex_);
    void reclaim();
    void flush();
    void compact();
    void collect_garbage();
    [[nodiscard]] bool is_short() const;

    engine& engine_;
    mutex mutex_;
    condition_variable changed_;
    bool wanted_ GALLERY_GUARDED_BY(mutex_) = false;
    bool resume_wanted_ GALLERY_GUARDED_BY(mutex_) = false;
    std::atomic<bool> stopped_{false};
    std::atomic<bool> changed_since_{true};  // the last compaction; not known at the start
    std::thread thread_;
};

}  // namespace gallery::rocks
