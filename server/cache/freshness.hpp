// SPDX-License-Identifier: Apache-2.0
/// Until when what is in memory may be answered.
///
/// What a server has in memory of a store that other servers write, too, is as new as its last look at the
/// store's feed. It may be answered for a bounded time after that, the staleness. When the feed cannot be
/// followed the time runs out, and nothing is answered from memory: an account could have been disabled, an
/// image replaced. What is in memory of a store that one process owns is always current. A switch of the
/// store can change which of the two applies.
#pragma once

#include <atomic>
#include <chrono>
#include <ctime>
#include <limits>

namespace gallery::cache {

/// Threads: all members on any thread. renew() is called after memory has taken over what the feed said.
class freshness {
public:
    using clock = std::chrono::steady_clock;
    using time_point = clock::time_point;

    /// Always fresh: the store belongs to this process.
    constexpr freshness() noexcept = default;
    /// Not fresh until renew().
    explicit freshness(clock::duration staleness) noexcept
        : staleness_(staleness), deadline_(std::numeric_limits<clock::rep>::min()) {}
    freshness(const freshness&) = delete;
    freshness& operator=(const freshness&) = delete;

    /// Memory contains every write that was committed before @p horizon. Without effect where it is always
    /// fresh.
    void renew(time_point horizon) noexcept {
        const auto until = (horizon + staleness_).time_since_epoch().count();
        auto known = deadline_.load(std::memory_order_relaxed);
        while (known < until && !deadline_.compare_exchange_weak(known, until, std::memory_order_release)) {
        }
    }

    /// Others write to the store from now on. Memory contains every write that was committed before @p
    /// horizon. Precondition: the staleness was given.
    void share(time_point horizon) noexcept {
        deadline_.store((horizon + staleness_).time_since_epoch().count(), std::memory_order_release);
    }
    /// Nobody else writes to the store from now on, and memory contains all that others have written.
    void own() noexcept { deadline_.store(always, std::memory_order_release); }

    /// One load; the clock is read only where the answer depends on it.
    [[nodiscard]] bool holds() const noexcept {
        const auto deadline = deadline_.load(std::memory_order_acquire);
        return deadline == always || now() < deadline;
    }
    /// @p at: the steady clock, some milliseconds ago at most.
    [[nodiscard]] bool holds(time_point at) const noexcept {
        return at.time_since_epoch().count() < deadline_.load(std::memory_order_acquire);
    }

private:
    static constexpr clock::rep always = std::numeric_limits<clock::rep>::max();

    /// The steady clock as of the kernel's last tick, some milliseconds ago.
    static clock::rep now() noexcept {
        timespec tick{};
        ::clock_gettime(CLOCK_MONOTONIC_COARSE, &tick);
        return std::chrono::duration_cast<clock::duration>(std::chrono::seconds(tick.tv_sec) +
                                                           std::chrono::nanoseconds(tick.tv_nsec))
            .count();
    }

    clock::duration staleness_{};
    std::atomic<clock::rep> deadline_{always};
};

/// Of a store that belongs to this process.
inline constinit const freshness always_fresh;

}  // namespace gallery::cache
