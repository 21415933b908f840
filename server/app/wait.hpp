// SPDX-License-Identifier: Apache-2.0
/// Waits in an ordinary thread for a coroutine on an I/O thread.
#pragma once

#include <gallery/task.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <chrono>
#include <exception>
#include <future>
#include <memory>
#include <optional>
#include <utility>

namespace gallery::app {

/// Runs @p work on @p where and blocks until it has ended. Precondition: the calling thread is not the one
/// that runs @p where. Throws what the coroutine throws.
template <class T>
T wait_for(const io_executor& where, task<T> work) {
    std::promise<T> outcome;
    auto ended = outcome.get_future();
    asio::co_spawn(where, std::move(work), [&outcome](std::exception_ptr thrown, T value) {
        if (thrown) {
            outcome.set_exception(std::move(thrown));
        } else {
            outcome.set_value(std::move(value));
        }
    });
    return ended.get();
}

/// As wait_for(), but gives up after @p time; empty then. What @p work refers to must live on in that case.
template <class T>
std::optional<T> wait_at_most(std::chrono::milliseconds time, const io_executor& where, task<T> work) {
    const auto outcome = std::make_shared<std::promise<T>>();
    auto ended = outcome->get_future();
    asio::co_spawn(where, std::move(work), [outcome](std::exception_ptr thrown, T value) {
        if (thrown) {
            outcome->set_exception(std::move(thrown));
        } else {
            outcome->set_value(std::move(value));
        }
    });
    if (ended.wait_for(time) != std::future_status::ready) return std::nullopt;
    return ended.get();
}

/// Blocks until everything that was posted to @p where before has run to its end. Precondition: as above.
inline void wait_for_posted(const io_executor& where) {
    const auto reached = std::make_shared<std::promise<void>>();
    asio::post(where, [reached] { reached->set_value(); });
    reached->get_future().wait();
}

}  // namespace gallery::app
