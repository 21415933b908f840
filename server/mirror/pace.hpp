// SPDX-License-Identifier: Apache-2.0
/// Bounds how many bytes are read per second.
#pragma once

#include <gallery/task.hpp>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>

namespace gallery::mirror {

/// Used by coroutines of one thread.
class pace {
public:
    /// Waits until @p bytes more may be read. A read may begin as soon as those before it are paid for, so
    /// one large body is read at once, and the pause follows. @p rate: bytes per second; 0: no limit. False
    /// if @p is_stopping has returned true meanwhile; it is called several times a second.
    task<bool> wait(std::uint64_t bytes, std::uint64_t rate, std::function<bool()> is_stopping) {
        if (rate == 0) co_return true;
        asio::basic_waitable_timer<clock, asio::wait_traits<clock>, io_executor> timer(
            co_await asio::this_coro::executor);
        while (clock::now() < next_) {
            if (is_stopping && is_stopping()) co_return false;
            timer.expires_at(std::min(next_, clock::now() + longest_nap));
            co_await timer.async_wait(use_task);
        }
        const std::chrono::duration<double> price(static_cast<double>(bytes) / static_cast<double>(rate));
        next_ = std::max(next_, clock::now()) + std::chrono::duration_cast<clock::duration>(price);
        co_return true;
    }

private:
    using clock = std::chrono::steady_clock;
    static constexpr std::chrono::milliseconds longest_nap{50};

    clock::time_point next_;  ///< when another read may begin
};

}  // namespace gallery::mirror
