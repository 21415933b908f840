// SPDX-License-Identifier: Apache-2.0
#include "app/watchdog.hpp"

#include <boost/asio/co_spawn.hpp>

#include <utility>

namespace gallery::app {

namespace {

task<void> nothing() {
    co_return;
}

/// Coroutine arguments are values, because those of the caller may end before.
task<void> visit_all(std::vector<io_executor> executors, std::function<void()> alive) {
    for (const auto& one : executors)
        co_await asio::co_spawn(one, nothing(), use_task);
    alive();
}

}  // namespace

std::unique_ptr<periodic> watch_threads(std::vector<io_executor> executors,
                                        std::chrono::milliseconds interval, std::function<void()> alive) {
    const auto first = executors.front();
    return std::make_unique<periodic>(
        first, interval,
        [executors = std::move(executors), alive = std::move(alive)] { return visit_all(executors, alive); });
}

}  // namespace gallery::app
