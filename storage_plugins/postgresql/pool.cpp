// SPDX-License-Identifier: Apache-2.0
#include "pool.hpp"

#include <algorithm>

namespace gallery::postgres {

task<pool::connection_ptr> pool::acquire() {
    if (!idle_.empty()) {
        auto one = std::move(idle_.back());
        idle_.pop_back();
        co_return one;
    }
    if (made_ < in_.chosen.connections) {
        ++made_;
        co_return std::make_unique<connection>(in_.engine, in_.chosen.timeout);
    }
    auto wait = [this](resumption<connection_ptr> waiting) { waiting_.push_back(std::move(waiting)); };
    co_return co_await suspend<connection_ptr>(std::move(wait));
}

void pool::release(connection_ptr one) {
    if (waiting_.empty()) {
        idle_.push_back(std::move(one));
        return;
    }
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    next.complete(std::move(one));
}

task<answer> pool::run(batch what, std::chrono::milliseconds within) {
    const auto deadline = signal::clock::now() + within;
    auto one = co_await acquire();
    busy_.push_back(one.get());
    answer last;
    // Whoever waited until the deadline does not begin: a queue in front of a server that does not answer
    // fails together with its first.
    last.failed = failure{"08001", "no connection was free in time", true};
    while (signal::clock::now() < deadline) {
        last = answer();
        if (stopping_) {
            last.failed = failure{"57P01", "the store is being closed", true};
            break;
        }
        const auto followed = followed_();
        if (one->is_open() && !followed.empty() && one->server != followed) one->close();
        if (!one->is_open()) {
            auto opened = co_await servers_.open(*one, durability::asynchronous);
            if (!opened) {
                last.failed = failure{"08001", opened.error().message, true};
            } else {
                one->server = opened->server;
                if (const auto now = followed_(); !now.empty() && one->server != now) {
                    one->close();
                    last.failed = failure{"08006", "the server is not the one whose feed is read", true};
                }
            }
        }
        if (one->is_open()) {
            batch copy = what;
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - signal::clock::now());
            last = co_await one->run(std::move(copy), std::max(left, std::chrono::milliseconds(1)));
        }
        const bool again = last.failed && (last.failed->lost || last.failed->is_transient());
        if (!again) break;
        asio::steady_timer pause(in_.engine, std::chrono::milliseconds(50));
        boost::system::error_code ignored;
        co_await pause.async_wait(asio::redirect_error(use_task, ignored));
    }
    std::erase(busy_, one.get());
    release(std::move(one));
    co_return last;
}

void pool::stop() {
    stopping_ = true;
    for (auto* one : busy_)
        one->abort();
}

}  // namespace gallery::postgres
