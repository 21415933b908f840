// SPDX-License-Identifier: Apache-2.0
/// Delays the writes to a store for a moment.
#pragma once

#include <gallery/task.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace gallery::plugins {

/// While the gate is closed, writes wait and do not fail. A write that has begun is not affected. Each
/// waiting write watches the clock itself, so the gate opens at its time limit also if the caller that closed
/// it never returns. A sealed gate is closed to all writes, also to those that have waited before, and can
/// lose its limit: from then on, no write begins before open(). Thread-safe; outlives the writes that wait or
/// run. One caller at a time closes, seals and opens it.
class write_gate {
public:
    write_gate() = default;
    write_gate(const write_gate&) = delete;
    write_gate& operator=(const write_gate&) = delete;

    /// A write that has begun and not ended.
    class pass {
    public:
        explicit pass(write_gate& through) noexcept : through_(&through) {}
        pass(pass&& other) noexcept : through_(std::exchange(other.through_, nullptr)) {}
        pass& operator=(pass&& other) noexcept {
            std::swap(through_, other.through_);
            return *this;
        }
        ~pass() {
            if (through_ != nullptr) through_->under_way_.fetch_sub(1);
        }

    private:
        write_gate* through_;
    };

    /// Closes the gate until open(), for @p longest at most. A write that has waited for an earlier closing
    /// does not wait again.
    void close(std::chrono::milliseconds longest) noexcept;
    /// The same for all writes.
    void seal(std::chrono::milliseconds longest) noexcept;
    void open() noexcept;

    /// Writes that have begun and not ended. With 0 while the gate is sealed, there is none until the limit.
    [[nodiscard]] std::uint64_t under_way() const noexcept { return under_way_.load(); }
    /// Writes that have ever begun.
    [[nodiscard]] std::uint64_t begun() const noexcept { return begun_.load(); }
    /// Removes the limit of a sealed gate. False if the limit was reached, or a write has begun since begun()
    /// returned @p known; then the gate is as before.
    [[nodiscard]] bool hold_on(std::uint64_t known) noexcept;

    /// Begins a write; empty while the gate is closed.
    [[nodiscard]] std::optional<pass> try_pass() noexcept;
    /// Begins a write when the gate is open. Looks every few milliseconds.
    task<pass> wait_to_pass();

    /// Cheap.
    [[nodiscard]] bool is_closed() const noexcept;

    /// The longest time for which the gate was closed.
    [[nodiscard]] std::chrono::nanoseconds longest_hold() const noexcept;

private:
    using clock = std::chrono::steady_clock;

    void shut(std::chrono::milliseconds longest, bool is_sealed) noexcept;
    /// @p waited: the closing that the write has waited for, 0 if it has not waited.
    [[nodiscard]] std::optional<pass> try_pass(std::uint64_t waited) noexcept;

    std::atomic<std::uint64_t> under_way_{0};
    std::atomic<std::uint64_t> begun_{0};
    std::atomic<std::uint64_t> closings_{0};
    std::atomic<bool> is_sealed_{false};
    std::atomic<clock::rep> closed_until_{0};  ///< 0: open
    std::atomic<clock::rep> closed_at_{0};
    std::atomic<clock::rep> longest_{0};
};

}  // namespace gallery::plugins
