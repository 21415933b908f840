// SPDX-License-Identifier: Apache-2.0
/// Holds back the writes to a store for a moment.
#pragma once

#include <gallery/mutex.hpp>
#include <gallery/task.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace gallery::plugins {

/// Writes pass while it is open. While it is closed they wait, without a thread, and do not fail.
/// Thread-safe; outlives its passes and the coroutines that wait.
class write_gate {
public:
    /// One write; it is in progress until this is destroyed, on any thread.
    class pass {
    public:
        pass(pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
        pass& operator=(pass&& other) noexcept {
            std::swap(gate_, other.gate_);
            return *this;
        }
        ~pass() {
            if (gate_ != nullptr) gate_->leave();
        }

    private:
        friend class write_gate;
        explicit pass(write_gate* gate) noexcept : gate_(gate) {}
        write_gate* gate_;
    };

    write_gate() = default;
    write_gate(const write_gate&) = delete;
    write_gate& operator=(const write_gate&) = delete;

    /// Empty while the gate is closed. Never blocks.
    std::optional<pass> try_enter();
    /// Waits until the gate is open.
    task<pass> enter();

    /// Closes the gate and waits until no write is in progress. False, with the gate open again, if that
    /// takes longer than @p patience or if it was closed before.
    task<bool> close(std::chrono::milliseconds patience);
    /// Precondition: close() has returned true.
    void open();

    /// The longest time for which it was closed.
    [[nodiscard]] std::chrono::milliseconds longest_hold() const;

private:
    using clock = std::chrono::steady_clock;

    void leave();
    [[nodiscard]] bool is_idle() const;

    mutable mutex mutex_;
    bool is_closed_ GALLERY_GUARDED_BY(mutex_) = false;
    std::size_t in_progress_ GALLERY_GUARDED_BY(mutex_) = 0;
    std::vector<resumption<>> waiting_ GALLERY_GUARDED_BY(mutex_);
    clock::time_point closed_at_ GALLERY_GUARDED_BY(mutex_);
    clock::duration longest_ GALLERY_GUARDED_BY(mutex_) = clock::duration::zero();
};

}  // namespace gallery::plugins
