// SPDX-License-Identifier: Apache-2.0
/// A mutex for coroutines: waiting for it suspends the coroutine and blocks no thread.
#pragma once

#include <gallery/task.hpp>

#include <deque>
#include <mutex>
#include <utility>

namespace gallery::auth {

/// First come, first served. May be awaited on any thread; a waiter resumes on its own executor. Must outlive
/// every holder and waiter.
class async_mutex {
public:
    /// Holds the mutex until it is destroyed. Movable, so that it can be returned.
    class guard {
    public:
        explicit guard(async_mutex& held) noexcept : held_(&held) {}
        guard(guard&& other) noexcept : held_(std::exchange(other.held_, nullptr)) {}
        guard& operator=(guard&&) = delete;
        ~guard() {
            if (held_ != nullptr) held_->unlock();
        }

    private:
        async_mutex* held_;
    };

    async_mutex() = default;
    async_mutex(const async_mutex&) = delete;
    async_mutex& operator=(const async_mutex&) = delete;

    task<guard> lock();

private:
    void unlock();
    void enqueue(resumption<> next);

    std::mutex mutex_;
    bool locked_ = false;
    std::deque<resumption<>> waiters_;
};

}  // namespace gallery::auth
