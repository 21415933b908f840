// SPDX-License-Identifier: Apache-2.0
// The order of the two steps of a write decides: it is counted first, and then looks whether the gate is
// closed. A caller that has sealed the gate and then finds no write under way therefore knows that a later
// write sees the seal. All of these operations are sequentially consistent.
#include "plugins/write_gate.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <limits>
#include <thread>

namespace gallery::plugins {

namespace {

constexpr std::chrono::milliseconds check_interval{2};

}  // namespace

void write_gate::shut(std::chrono::milliseconds longest, bool is_sealed) noexcept {
    const auto now = clock::now().time_since_epoch();
    closed_at_.store(now.count());
    ++closings_;
    is_sealed_.store(is_sealed);
    closed_until_.store((now + std::chrono::duration_cast<clock::duration>(longest)).count());
}

void write_gate::close(std::chrono::milliseconds longest) noexcept {
    shut(longest, false);
}

void write_gate::seal(std::chrono::milliseconds longest) noexcept {
    shut(longest, true);
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

bool write_gate::hold_on(std::uint64_t known) noexcept {
    auto until = closed_until_.load();
    if (until == 0 || clock::now().time_since_epoch().count() >= until) return false;
    const auto limit = until;
    if (!closed_until_.compare_exchange_strong(until, std::numeric_limits<clock::rep>::max())) return false;
    // A write that has seen the limit pass was counted before that. One that only looks ends at once.
    while (under_way_.load() != 0 && begun_.load() == known)
        std::this_thread::yield();
    if (begun_.load() == known) return true;
    closed_until_.store(limit);
    return false;
}

bool write_gate::is_closed() const noexcept {
    const auto until = closed_until_.load();
    return until != 0 && clock::now().time_since_epoch().count() < until;
}

std::optional<write_gate::pass> write_gate::try_pass(std::uint64_t waited) noexcept {
    ++under_way_;
    pass mine(*this);
    if (is_closed() && (is_sealed_.load() || waited == 0 || waited == closings_.load())) return std::nullopt;
    ++begun_;
    return mine;
}

std::optional<write_gate::pass> write_gate::try_pass() noexcept {
    return try_pass(0);
}

task<write_gate::pass> write_gate::wait_to_pass() {
    asio::basic_waitable_timer<clock, asio::wait_traits<clock>, io_executor> timer(
        co_await asio::this_coro::executor);
    const auto waited = closings_.load();
    for (;;) {
        if (auto mine = try_pass(waited)) co_return std::move(*mine);
        timer.expires_after(check_interval);
        co_await timer.async_wait(use_task);
    }
}

std::chrono::nanoseconds write_gate::longest_hold() const noexcept {
    return clock::duration(longest_.load());
}

}  // namespace gallery::plugins
