// SPDX-License-Identifier: Apache-2.0
/// Lines on their way from one thread to another, in bounded memory and without a lock.
///
/// Positions count all bytes ever appended and consumed; the memory is a ring. When everything has been
/// consumed the producer goes on at the memory's beginning, so that a ring that is emptied often uses only a
/// few of its pages.
#pragma once

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace gallery::app {

/// Threads: append() and used() by one, the producer; the others by one other, the consumer.
class line_ring {
public:
    /// @p capacity: bytes, a power of two.
    explicit line_ring(std::size_t capacity)
        : memory_(std::make_unique_for_overwrite<char[]>(capacity)), capacity_(capacity) {
        assert((capacity & (capacity - 1)) == 0);
    }
    line_ring(const line_ring&) = delete;
    line_ring& operator=(const line_ring&) = delete;

    /// The whole line or, where there is no room for it, nothing; then false.
    bool append(std::string_view line) noexcept {
        const auto end = appended_.load(std::memory_order_relaxed);
        const auto consumed = consumed_.load(std::memory_order_acquire);
        if (line.size() > capacity_ - (end - consumed)) return false;
        // Nobody reads the base now: there is nothing to consume.
        if (consumed == end) base_ = end;
        const auto at = offset_of(end);
        const auto first = std::min(line.size(), capacity_ - at);
        std::memcpy(memory_.get() + at, line.data(), first);
        if (first != line.size()) std::memcpy(memory_.get(), line.data() + first, line.size() - first);
        appended_.store(end + line.size(), std::memory_order_release);
        return true;
    }

    /// Bytes that are not consumed yet, at most.
    [[nodiscard]] std::size_t used() const noexcept {
        return appended_.load(std::memory_order_relaxed) - consumed_.load(std::memory_order_relaxed);
    }

    /// The bytes that wait: `first`, then `second`. Whole lines together, but the end of `first` may be in
    /// the middle of one.
    struct pieces {
        std::string_view first;
        std::string_view second;
        [[nodiscard]] std::size_t size() const noexcept { return first.size() + second.size(); }
    };
    /// Valid until consume().
    [[nodiscard]] pieces waiting() const noexcept {
        const auto end = appended_.load(std::memory_order_acquire);
        const auto begin = consumed_.load(std::memory_order_relaxed);
        if (begin == end) return {};
        const auto at = offset_of(begin);
        const auto first = std::min(end - begin, capacity_ - at);
        return {{memory_.get() + at, first}, {memory_.get(), end - begin - first}};
    }
    /// Gives back the first of the bytes that wait.
    void consume(std::size_t bytes) noexcept {
        consumed_.store(consumed_.load(std::memory_order_relaxed) + bytes, std::memory_order_release);
    }

private:
    [[nodiscard]] std::size_t offset_of(std::size_t position) const noexcept {
        return (position - base_) & (capacity_ - 1);
    }

    std::unique_ptr<char[]> memory_;
    std::size_t capacity_;
    std::size_t base_ = 0;  ///< the position that is at the memory's beginning
    alignas(64) std::atomic<std::size_t> appended_{0};
    alignas(64) std::atomic<std::size_t> consumed_{0};
};

}  // namespace gallery::app
