// SPDX-License-Identifier: Apache-2.0
/// Repeats work on an I/O thread.
#pragma once

#include <gallery/task.hpp>

#include <boost/asio/basic_waitable_timer.hpp>

#include <chrono>
#include <functional>
#include <future>

namespace gallery::app {

class periodic {
public:
    /// Awaits @p work on @p executor every @p interval, first after one interval, until stop().
    periodic(io_executor executor, std::chrono::milliseconds interval, std::function<task<void>()> work);
    periodic(const periodic&) = delete;
    periodic& operator=(const periodic&) = delete;
    /// stop()s.
    ~periodic();

    /// Returns when nothing of it is under way any more. Precondition: not called on executor, which is
    /// running.
    void stop();

private:
    task<void> run();

    io_executor executor_;
    std::chrono::milliseconds interval_;
    std::function<task<void>()> work_;
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                               io_executor>
        timer_;
    bool stopping_ = false;  ///< used on executor_ only
    bool stopped_ = false;
    std::promise<void> ended_;
};

}  // namespace gallery::app
