// SPDX-License-Identifier: Apache-2.0
#include <gallery/async_mutex.hpp>

namespace gallery {

async_mutex::guard async_mutex::try_lock() {
    const lock_guard lock(mutex_);
    return std::exchange(locked_, true) ? guard() : guard(*this);
}

void async_mutex::enqueue(resumption<> next) {
    {
        const lock_guard lock(mutex_);
        if (std::exchange(locked_, true)) {
            waiters_.push_back(std::move(next));
            return;
        }
    }
    next.complete();
}

void async_mutex::unlock() {
    std::list<resumption<>> next;
    {
        const lock_guard lock(mutex_);
        if (waiters_.empty()) {
            locked_ = false;
            return;
        }
        next.splice(next.begin(), waiters_, waiters_.begin());
    }
    next.front().complete();
}

task<async_mutex::guard> async_mutex::lock() {
    auto held = try_lock();
    if (!held) {
        auto wait = [this](resumption<> waiter) { enqueue(std::move(waiter)); };
        co_await suspend(std::move(wait));
        held = guard(*this);
    }
    co_return held;
}

}  // namespace gallery
