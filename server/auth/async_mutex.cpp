// SPDX-License-Identifier: Apache-2.0
#include "auth/async_mutex.hpp"

namespace gallery::auth {

void async_mutex::enqueue(resumption<> next) {
    {
        const std::lock_guard lock(mutex_);
        if (locked_) {
            waiters_.push_back(std::move(next));
            return;
        }
        locked_ = true;
    }
    next.complete();
}

void async_mutex::unlock() {
    std::unique_lock lock(mutex_);
    if (waiters_.empty()) {
        locked_ = false;
        return;
    }
    auto next = std::move(waiters_.front());
    waiters_.pop_front();
    lock.unlock();
    next.complete();
}

task<async_mutex::guard> async_mutex::lock() {
    auto wait = [this](resumption<> waiter) { enqueue(std::move(waiter)); };
    co_await suspend(std::move(wait));
    co_return guard(*this);
}

}  // namespace gallery::auth
