// SPDX-License-Identifier: Apache-2.0
/// Locks for sections of some ten instructions, where a mutex would cost more than the section.
///
/// The holder must not block, allocate, or take a mutex. A waiter yields the processor after a short time, so
/// that a holder that was preempted can finish.
#pragma once

#include <gallery/mutex.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace gallery::cache {

inline constexpr std::size_t cache_line = 64;  ///< bytes; separates data that different threads write

namespace detail {

/// Waits a little longer the more often it has been called; @p round counts the calls.
void spin_pause(unsigned round) noexcept;

}  // namespace detail

class GALLERY_CAPABILITY("mutex") spin_lock {
public:
    void lock() noexcept GALLERY_ACQUIRE() {
        for (unsigned round = 0; held_.exchange(true, std::memory_order_acquire); ++round)
            detail::spin_pause(round);
    }
    void unlock() noexcept GALLERY_RELEASE() { held_.store(false, std::memory_order_release); }

private:
    std::atomic<bool> held_{false};
};

/// A mutex for sections of a microsecond: a waiter spins for a while before it sleeps in the kernel, which
/// costs more than the section.
class GALLERY_CAPABILITY("mutex") patient_mutex {
public:
    void lock() noexcept GALLERY_ACQUIRE() {
        for (unsigned round = 0; round < 48; ++round) {
            if (mutex_.try_lock()) return;
            detail::spin_pause(round);
        }
        mutex_.lock();
    }
    bool try_lock() noexcept GALLERY_TRY_ACQUIRE(true) { return mutex_.try_lock(); }
    void unlock() noexcept GALLERY_RELEASE() { mutex_.unlock(); }

private:
    std::mutex mutex_;
};

/// The head of a linked list of numbered elements. Its lowest bit is its lock, so the lock needs no memory
/// and is on the cache line that a look-up reads. All zero bytes are an empty list.
class locked_head {
public:
    static constexpr std::uint32_t none = 0;  ///< no element
    static constexpr std::uint32_t max_number = (std::uint32_t{1} << 31) - 1;

    /// Returns the list's first, which the caller may change until unlock().
    std::uint32_t lock() noexcept {
        for (unsigned round = 0;; ++round) {
            const auto word = word_.fetch_or(1, std::memory_order_acquire);
            if ((word & 1) == 0) return word >> 1;
            detail::spin_pause(round);
        }
    }
    void unlock(std::uint32_t head) noexcept { word_.store(head << 1, std::memory_order_release); }
    void prefetch() const noexcept { __builtin_prefetch(&word_, 1); }

private:
    std::atomic<std::uint32_t> word_{0};
};

/// A small number of the calling thread, counted from 0 in the order of first calls.
unsigned thread_number() noexcept;

/// How many threads have asked for their number so far.
unsigned threads_numbered() noexcept;

}  // namespace gallery::cache
