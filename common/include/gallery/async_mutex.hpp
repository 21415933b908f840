// SPDX-License-Identifier: Apache-2.0
/// A mutex for coroutines: waiting for it suspends the coroutine and blocks no thread.
#pragma once

#include <gallery/export.hpp>
#include <gallery/mutex.hpp>
#include <gallery/task.hpp>

#include <list>
#include <utility>

namespace gallery {

/// First come, first served. May be awaited on any thread; a waiter resumes on its own executor. Must outlive
/// every holder and waiter.
class GALLERY_API async_mutex {
public:
    /// Holds the mutex until it is destroyed, on any thread. An empty one holds nothing.
    class guard {
    public:
        guard() = default;
        explicit guard(async_mutex& held) noexcept : held_(&held) {}
        guard(guard&& other) noexcept : held_(std::exchange(other.held_, nullptr)) {}
        guard& operator=(guard&& other) noexcept {
            std::swap(held_, other.held_);
            return *this;
        }
        ~guard() {
            if (held_ != nullptr) held_->unlock();
        }
        explicit operator bool() const noexcept { return held_ != nullptr; }

    private:
        async_mutex* held_ = nullptr;
    };

    async_mutex() = default;
    async_mutex(const async_mutex&) = delete;
    async_mutex& operator=(const async_mutex&) = delete;

    /// Does not suspend the coroutine if the mutex is free.
    task<guard> lock();
    /// Empty if it is held.
    [[nodiscard]] guard try_lock();

private:
    void unlock();
    void enqueue(resumption<> next);

    mutex mutex_;
    bool locked_ GALLERY_GUARDED_BY(mutex_) = false;
    std::list<resumption<>> waiters_ GALLERY_GUARDED_BY(mutex_);
};

}  // namespace gallery
