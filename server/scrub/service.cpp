// SPDX-License-Identifier: Apache-2.0
#include "scrub/service.hpp"

#include "mirror/low_priority.hpp"
#include "mirror/run_to_end.hpp"

#include <utility>

namespace gallery::scrub {

namespace {

error server_stops() {
    return {errc::unavailable, "the server is stopping"};
}

}  // namespace

service::service(storage_engine& store, scrub_options options, std::chrono::milliseconds interval,
                 std::uint64_t rate)
    : options_(std::move(options)),
      live_{.interval = interval, .rate = rate},
      scrubber_(
          store, options_, live_, [this] { return is_interrupted(); }, board_) {}

service::~service() {
    shut_down();
}

void service::begin() {
    thread_ = std::thread([this] {
        mirror::lower_priority();
        work();
    });
}

void service::shut_down() {
    {
        const lock_guard lock(mutex_);
        is_ending_.store(true);
        changed_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
    refuse_commands();
}

void service::change(std::chrono::milliseconds interval, std::uint64_t rate) {
    live_.interval.store(interval);
    live_.rate.store(rate);
    const lock_guard lock(mutex_);
    is_changed_ = true;
    changed_.notify_all();
}

task<service::answer> service::execute(std::function<task<result<void>>()> run) {
    auto start = [this, run = std::move(run)](resumption<answer> waiting) mutable {
        {
            const lock_guard lock(mutex_);
            if (!is_closed_) {
                commands_.push_back({std::move(run), std::move(waiting)});
                changed_.notify_all();
                return;
            }
        }
        waiting.complete(answer(server_stops()));
    };
    co_return co_await suspend<answer>(std::move(start));
}

task<service::answer> service::start(std::optional<std::uint64_t> rate) {
    return execute([this, rate] { return scrubber_.start(rate); });
}

task<service::answer> service::stop() {
    return execute([this] { return scrubber_.stop(); });
}

void service::work() {
    while (!is_ending_.load()) {
        run_commands();
        if (is_ending_.load()) break;
        const auto idle = mirror::run_to_end(context_, scrubber_.step());
        if (!idle) options_.log(true, "scrub: " + idle.error().message);
        wait(idle ? *idle : options_.retry);
    }
}

void service::wait(std::chrono::milliseconds how_long) {
    const auto until = std::chrono::steady_clock::now() + how_long;
    const lock_guard lock(mutex_);
    while (commands_.empty() && !is_changed_ && !is_ending_.load()) {
        if (changed_.wait_until(mutex_, until) == std::cv_status::timeout) break;
    }
    is_changed_ = false;
}

void service::run_commands() {
    for (;;) {
        std::optional<command> next;
        {
            const lock_guard lock(mutex_);
            if (commands_.empty() || is_ending_.load()) return;
            next.emplace(std::move(commands_.front()));
            commands_.pop_front();
        }
        const auto done = mirror::run_to_end(context_, next->run());
        next->waiting.complete(done ? answer(status()) : answer(done.error()));
    }
}

void service::refuse_commands() {
    std::deque<command> all;
    {
        const lock_guard lock(mutex_);
        is_closed_ = true;
        all.swap(commands_);
    }
    for (auto& each : all)
        each.waiting.complete(answer(server_stops()));
}

bool service::is_interrupted() const {
    if (is_ending_.load()) return true;
    const lock_guard lock(mutex_);
    return !commands_.empty();
}

}  // namespace gallery::scrub
