/// Coroutines of this project and how blocking work leaves an I/O thread.
#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <functional>
#include <type_traits>
#include <utility>

namespace gallery {

namespace asio = boost::asio;

/// The executor of an I/O thread. Concrete rather than any_io_executor: it is a pointer, and copying it
/// for each operation costs nothing.
using io_executor = asio::io_context::executor_type;

/// A coroutine that runs on an I/O thread. It starts when it is awaited and resumes on the executor of
/// whoever awaits it.
template <class T = void>
using task = asio::awaitable<T, io_executor>;

/// Completion token for `co_await socket.async_something(..., use_task)` inside a task.
inline constexpr asio::use_awaitable_t<io_executor> use_task{};

/// Runs @p work on a thread of @p pool and resumes the awaiting coroutine on its own executor with what
/// it returned. For everything that blocks: file synchronisation, compression, password hashing.
///
/// Threads: called on any I/O thread; @p work runs on one pool thread, nothing else is touched there.
/// Ownership: @p work is moved in and destroyed on the pool thread or the I/O thread.
/// Preconditions: @p work does not throw (an exception ends the process) and returns a movable, non-void
/// value; the pool outlives the operation.
template <class Work>
task<std::invoke_result_t<Work&>> offload(asio::thread_pool& pool, Work work) {
    using value = std::invoke_result_t<Work&>;
    auto start = [](auto handler, asio::thread_pool* where, Work&& what) {
        auto home = asio::make_work_guard(asio::get_associated_executor(handler));
        asio::post(*where, [handler = std::move(handler), home = std::move(home),
                            what = std::move(what)]() mutable noexcept {
            value outcome = what();
            auto executor = home.get_executor();
            asio::post(executor,
                       [handler = std::move(handler), home = std::move(home),
                        outcome = std::move(outcome)]() mutable { std::move(handler)(std::move(outcome)); });
        });
    };
    asio::thread_pool* where = &pool;
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<io_executor>, void(value)>(
        start, use_task, where, std::move(work));
}

}  // namespace gallery
