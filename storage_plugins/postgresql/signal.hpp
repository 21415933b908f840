// SPDX-License-Identifier: Apache-2.0
/// Lets one coroutine wait for a condition that others change.
#pragma once

#include <gallery/task.hpp>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>

namespace gallery::postgres {

/// Used on one thread. A set() before the wait is not lost.
class signal {
public:
    using clock = std::chrono::steady_clock;

    explicit signal(asio::io_context& context) : timer_(context) {}

    /// Until set() was called or the time has come. One waiter at a time.
    task<> wait_until(clock::time_point until) {
        if (!is_set_) {
            timer_.expires_at(until);
            boost::system::error_code ignored;
            co_await timer_.async_wait(asio::redirect_error(use_task, ignored));
        }
        is_set_ = false;
    }
    task<> wait() { return wait_until(clock::now() + std::chrono::hours(24)); }
    task<> wait_for(std::chrono::milliseconds most) { return wait_until(clock::now() + most); }

    void set() {
        is_set_ = true;
        timer_.cancel();
    }

private:
    asio::steady_timer timer_;
    bool is_set_ = false;
};

}  // namespace gallery::postgres
