// SPDX-License-Identifier: Apache-2.0
#include "app/periodic.hpp"

#include "app/log.hpp"
#include "app/wait.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>

#include <exception>
#include <string>
#include <utility>

namespace gallery::app {

periodic::periodic(io_executor executor, std::chrono::milliseconds interval, std::function<task<void>()> work)
    : executor_(executor), interval_(interval), work_(std::move(work)), timer_(executor_) {
    asio::co_spawn(executor_, run(), [this](std::exception_ptr) { ended_.set_value(); });
}

periodic::~periodic() {
    stop();
}

void periodic::stop() {
    if (stopped_) return;
    stopped_ = true;
    asio::post(executor_, [this] {
        stopping_ = true;
        timer_.cancel();
    });
    ended_.get_future().wait();
    wait_for_posted(executor_);
}

task<void> periodic::run() {
    while (!stopping_) {
        timer_.expires_after(interval_);
        boost::system::error_code cancelled;
        co_await timer_.async_wait(asio::redirect_error(use_task, cancelled));
        if (stopping_) break;
        try {
            co_await work_();
        } catch (const std::exception& thrown) {
            log_error(std::string("work that is done now and then failed: ") + thrown.what());
        }
    }
}

}  // namespace gallery::app
