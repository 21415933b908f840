// SPDX-License-Identifier: Apache-2.0
/// The coroutine type of this project, and functions that wait for other threads.
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
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

namespace gallery {

namespace asio = boost::asio;

/// The executor of an I/O thread. It is a concrete type and not any_io_executor: a pointer, which is copied
/// for each operation without cost.
using io_executor = asio::io_context::executor_type;

/// A coroutine that runs on an I/O thread. It starts when it is awaited and resumes on the executor of the
/// coroutine that awaits it.
template <class T = void>
using task = asio::awaitable<T, io_executor>;

/// Completion token for `co_await socket.async_something(..., use_task)` inside a task.
inline constexpr asio::use_awaitable_t<io_executor> use_task{};

/// A handle for a coroutine that suspend() has suspended: resumes it with the values of @p Values (none, or
/// one). It keeps the coroutine's io_context running.
///
/// complete() may be called on any thread, once. The coroutine resumes on its own executor, never inside the
/// call. The owner of a resumption must complete it. If it is destroyed before, the coroutine and all
/// coroutines that await it are destroyed on their executor.
template <class... Values>
class resumption {
    struct base {
        base() = default;
        base(const base&) = delete;
        base& operator=(const base&) = delete;
        virtual ~base() = default;
        virtual void complete(Values... values) = 0;
    };
    template <class Handler>
    struct holder final : base {
        explicit holder(Handler what)
            : handler(std::move(what)), work(asio::make_work_guard(asio::get_associated_executor(handler))) {}
        void complete(Values... values) override {
            const auto executor = work.get_executor();
            asio::post(executor, [handler = std::move(handler), work = std::move(work),
                                  values = std::tuple<Values...>(std::move(values)...)]() mutable {
                std::apply(std::move(handler), std::move(values));
            });
        }
        Handler handler;
        asio::executor_work_guard<asio::associated_executor_t<Handler>> work;
    };

public:
    /// Used by suspend().
    template <class Handler>
    requires(!std::is_same_v<std::decay_t<Handler>, resumption>) explicit resumption(Handler handler)
        : held_(std::make_unique<holder<Handler>>(std::move(handler))) {}

    void complete(Values... values) { std::exchange(held_, nullptr)->complete(std::move(values)...); }

private:
    std::unique_ptr<base> held_;
};

/// The argument of start in suspend<T>.
template <class T>
struct resumption_of {
    using type = resumption<T>;
};
template <>
struct resumption_of<void> {
    using type = resumption<>;
};

/// Suspends the awaiting coroutine, calls @p start in its thread with the resumption of the coroutine, and
/// returns the value that the resumption is completed with. Use it to wait for another thread.
///
///     auto start = [&queue](resumption<int> waiting) { queue.push(std::move(waiting)); };
///     const int answer = co_await suspend<int>(std::move(start));
///
/// Preconditions: @p start does not throw; T is movable or void.
template <class T = void, class Start>
task<T> suspend(Start start) {
    using waiting = typename resumption_of<T>::type;
    using signature =
        std::conditional_t<std::is_void_v<T>, void(), void(std::conditional_t<std::is_void_v<T>, int, T>)>;
    auto initiate = [](auto handler, Start begin) { begin(waiting(std::move(handler))); };
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<io_executor>, signature>(
        initiate, use_task, std::move(start));
}

/// Runs @p work on a thread of @p pool and resumes the awaiting coroutine on its own executor with the
/// returned value. Use it for everything that blocks: file synchronisation, compression, password hashing.
///
/// Threads: called on any I/O thread. @p work runs on one pool thread. Ownership: @p work is moved in
/// and destroyed on the pool thread or the I/O thread. Preconditions: @p work does not throw (an
/// exception ends the process) and returns a movable, non-void value; the pool outlives the
/// operation.
template <class Work>
task<std::invoke_result_t<Work&>> offload(asio::thread_pool& pool, Work work) {
    using value = std::invoke_result_t<Work&>;
    auto start = [where = &pool, what = std::move(work)](resumption<value> waiting) mutable {
        asio::post(*where, [waiting = std::move(waiting), what = std::move(what)]() mutable noexcept {
            waiting.complete(what());
        });
    };
    co_return co_await suspend<value>(std::move(start));
}

}  // namespace gallery
