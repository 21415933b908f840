// SPDX-License-Identifier: Apache-2.0
/// A coroutine that waits for another thread.
#pragma once

#include <gallery/task.hpp>

#include <boost/asio/basic_waitable_timer.hpp>

#include <chrono>
#include <memory>

namespace gallery::images {

/// One wait of one coroutine. Made by it; the other side keeps a reference until it has called wake().
class wake_up : public std::enable_shared_from_this<wake_up> {
public:
    /// @p home: the executor of the I/O thread on which the coroutine waits.
    explicit wake_up(io_executor home) : timer_(home) {}

    /// Returns after wake(), also where that came first, or when @p patience has passed; which of both it
    /// was, the two sides settle under a lock of their own. On the coroutine's thread.
    task<> wait(std::chrono::seconds patience);
    /// Returns after wake().
    task<> wait();
    /// From any thread. Precondition: the coroutine's I/O thread still runs.
    void wake();

private:
    using clock = std::chrono::steady_clock;
    asio::basic_waitable_timer<clock, asio::wait_traits<clock>, io_executor> timer_;
};

}  // namespace gallery::images
