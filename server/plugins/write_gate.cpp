// SPDX-License-Identifier: Apache-2.0
#include "plugins/write_gate.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>

namespace gallery::plugins {

namespace {

/// Of close(), while writes are in progress, each of which takes about as long as this.
constexpr std::chrono::milliseconds look_again{1};

}  // namespace

std::optional<write_gate::pass> write_gate::try_enter() {
    const lock_guard lock(mutex_);
    if (is_closed_) return std::nullopt;
    ++in_progress_;
    return pass(this);
}

task<write_gate::pass> write_gate::enter() {
    auto start = [this](resumption<> waiting) {
        {
            const lock_guard lock(mutex_);
            if (is_closed_) {
                waiting_.push_back(std::move(waiting));
                return;
            }
            ++in_progress_;
        }
        waiting.complete();
    };
    co_await suspend(std::move(start));
    co_return pass(this);
}

void write_gate::leave() {
    const lock_guard lock(mutex_);
    --in_progress_;
}

bool write_gate::is_idle() const {
    const lock_guard lock(mutex_);
    return in_progress_ == 0;
}

task<bool> write_gate::close(std::chrono::milliseconds patience) {
    const auto deadline = clock::now() + patience;
    {
        const lock_guard lock(mutex_);
        if (is_closed_) co_return false;
        is_closed_ = true;
        closed_at_ = clock::now();
    }
    asio::basic_waitable_timer<clock, asio::wait_traits<clock>, io_executor> timer(
        co_await asio::this_coro::executor);
    while (!is_idle()) {
        if (clock::now() >= deadline) {
            open();
            co_return false;
        }
        timer.expires_after(look_again);
        co_await timer.async_wait(use_task);
    }
    co_return true;
}

void write_gate::open() {
    std::vector<resumption<>> admitted;
    {
        const lock_guard lock(mutex_);
        is_closed_ = false;
        longest_ = std::max(longest_, clock::now() - closed_at_);
        in_progress_ += waiting_.size();
        admitted.swap(waiting_);
    }
    for (auto& each : admitted)
        each.complete();
}

std::chrono::milliseconds write_gate::longest_hold() const {
    const lock_guard lock(mutex_);
    return std::chrono::ceil<std::chrono::milliseconds>(longest_);
}

}  // namespace gallery::plugins
