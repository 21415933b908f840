// SPDX-License-Identifier: Apache-2.0
#include "plugins/write_gate.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>

namespace gallery::plugins {

namespace {

constexpr std::chrono::milliseconds check_interval{2};

}  // namespace

void write_gate::close(std::chrono::milliseconds longest) noexcept {
    const auto now = clock::now().time_since_epoch();
    closed_at_.store(now.count());
    ++closings_;
    closed_until_.store((now + std::chrono::duration_cast<clock::duration>(longest)).count());
}

void write_gate::open() noexcept {
    const auto until = closed_until_.exchange(0);
    if (until == 0) return;
    const auto end = std::min(until, clock::now().time_since_epoch().count());
    const auto held = end - closed_at_.load();
    auto known = longest_.load();
    while (known < held && !longest_.compare_exchange_weak(known, held)) {
    }
}

bool write_gate::is_closed() const noexcept {
    const auto until = closed_until_.load(std::memory_order_relaxed);
    return until != 0 && clock::now().time_since_epoch().count() < until;
}

task<void> write_gate::wait_until_open() const {
    asio::basic_waitable_timer<clock, asio::wait_traits<clock>, io_executor> timer(
        co_await asio::this_coro::executor);
    const auto mine = closings_.load();
    while (is_closed() && closings_.load() == mine) {
        timer.expires_after(check_interval);
        co_await timer.async_wait(use_task);
    }
}

std::chrono::nanoseconds write_gate::longest_hold() const noexcept {
    return clock::duration(longest_.load());
}

}  // namespace gallery::plugins
