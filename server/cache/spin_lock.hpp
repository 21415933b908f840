/// Locks for sections of some ten instructions, where a mutex would cost more than the section.
///
/// The holder must not block, allocate, or take a mutex. A waiter gives the processor away after a short
/// while, so that a holder that the kernel has taken off its core can finish.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace gallery::cache {

inline constexpr std::size_t cache_line = 64;  ///< bytes; kept apart what different threads write

namespace detail {

/// Waits a little longer the more often it has been called; @p round counts the calls.
void spin_pause(unsigned round) noexcept;

}  // namespace detail

class spin_lock {
public:
    void lock() noexcept {
        for (unsigned round = 0; held_.exchange(true, std::memory_order_acquire); ++round)
            detail::spin_pause(round);
    }
    void unlock() noexcept { held_.store(false, std::memory_order_release); }

private:
    std::atomic<bool> held_{false};
};

/// The head of a singly linked list whose lowest bit is its lock: the lock costs no memory and lies on the
/// cache line that a look-up needs anyhow.
template <class Node>
class locked_head {
public:
    /// Returns the list, which the caller may change until unlock().
    Node* lock() noexcept {
        for (unsigned round = 0;; ++round) {
            const auto word = word_.fetch_or(1, std::memory_order_acquire);
            if ((word & 1) == 0) return reinterpret_cast<Node*>(word);
            detail::spin_pause(round);
        }
    }
    void unlock(Node* head) noexcept {
        word_.store(reinterpret_cast<std::uintptr_t>(head), std::memory_order_release);
    }
    void prefetch() const noexcept { __builtin_prefetch(&word_, 1); }

private:
    static_assert(alignof(Node) > 1);
    std::atomic<std::uintptr_t> word_{0};
};

/// A small number of the calling thread, counted from 0 in the order of first calls.
unsigned thread_number() noexcept;

/// How many threads have asked for their number so far.
unsigned threads_numbered() noexcept;

}  // namespace gallery::cache
