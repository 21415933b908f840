// SPDX-License-Identifier: Apache-2.0
/// Delays the writes to a store for a moment.
#pragma once

#include <gallery/task.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>

namespace gallery::plugins {

/// While the gate is closed, writes wait and do not fail. A write that has begun is not affected. Each
/// waiting write watches the clock itself, so the gate opens at its time limit also if the caller that closed
/// it never returns. Thread-safe; outlives the coroutines that wait.
class write_gate {
public:
    write_gate() = default;
    write_gate(const write_gate&) = delete;
    write_gate& operator=(const write_gate&) = delete;

    /// Closes the gate until open(), for @p longest at most.
    void close(std::chrono::milliseconds longest) noexcept;
    void open() noexcept;

    /// Cheap while the gate is open.
    [[nodiscard]] bool is_closed() const noexcept;
    /// Returns when the gate was opened, or at its time limit; also if it has been closed again since, so
    /// that a write waits for one closing at most. Checks every few milliseconds.
    task<void> wait_until_open() const;

    /// The longest time for which the gate was closed.
    [[nodiscard]] std::chrono::nanoseconds longest_hold() const noexcept;

private:
    using clock = std::chrono::steady_clock;

    std::atomic<std::uint64_t> closings_{0};
    std::atomic<clock::rep> closed_until_{0};  ///< 0: open
    std::atomic<clock::rep> closed_at_{0};
    std::atomic<clock::rep> longest_{0};
};

}  // namespace gallery::plugins
