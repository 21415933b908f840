// SPDX-License-Identifier: Apache-2.0
/// A value for each thread that uses it, for counters. A thread writes only its own, so counting takes a few
/// instructions and moves no cache line between processor cores. Readers add up the values.
#pragma once

#include <gallery/mutex.hpp>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <thread>
#include <utility>

namespace gallery::plugins {

/// Adds to a counter that only the calling thread writes.
inline void add_alone(std::atomic<std::uint64_t>& counter, std::uint64_t amount) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
}

/// T consists of atomics. A value stays when its thread ends, and a later thread with the same id continues
/// it.
template <class T>
class per_thread {
public:
    per_thread() noexcept : serial_(next_serial()) {}
    per_thread(const per_thread&) = delete;
    per_thread& operator=(const per_thread&) = delete;

    /// The calling thread's own. @p arguments are those of T's constructor, for the first call of a thread.
    template <class... Arguments>
    T& mine(const Arguments&... arguments) {
        // Of the two objects that this thread asked last: a call to a store that was switched passes two
        // layers of the same kind.
        struct last {
            std::uint64_t serial = 0;
            T* value = nullptr;
        };
        thread_local last here;
        thread_local last before;
        if (here.serial == serial_) [[likely]]
            return *here.value;
        if (before.serial != serial_) {
            before = here;
            here = {serial_, &find(arguments...)};
            return *here.value;
        }
        return *before.value;
    }

    template <class Visit>
    void for_each(Visit&& visit) const {
        const lock_guard lock(mutex_);
        for (const auto& [thread, own] : parts_)
            visit(std::as_const(own->value));
    }

private:
    struct alignas(64) part {
        template <class... Arguments>
        explicit part(const Arguments&... arguments) : value(arguments...) {}
        T value;
    };

    // Not by address, which a later object can have.
    static std::uint64_t next_serial() noexcept {
        static std::atomic<std::uint64_t> serial{0};
        return serial.fetch_add(1, std::memory_order_relaxed) + 1;
    }

    template <class... Arguments>
    T& find(const Arguments&... arguments) {
        const lock_guard lock(mutex_);
        auto& own = parts_[std::this_thread::get_id()];
        if (!own) own = std::make_unique<part>(arguments...);
        return own->value;
    }

    const std::uint64_t serial_;
    mutable mutex mutex_;
    std::map<std::thread::id, std::unique_ptr<part>> parts_ GALLERY_GUARDED_BY(mutex_);
};

}  // namespace gallery::plugins
