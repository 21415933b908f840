/// Suspends a coroutine until somebody on another thread hands it a value.
#pragma once

#include <gallery/task.hpp>

#include <memory>
#include <utility>

namespace gallery::file_store {

/// A suspended coroutine. complete() may be called on any thread, exactly once; the coroutine resumes on its
/// own executor, never inside the call.
template <class T>
class resumption {
    struct base {
        virtual ~base() = default;
        virtual void complete(T value) = 0;
    };
    template <class Handler>
    struct holder final : base {
        explicit holder(Handler what)
            : handler(std::move(what)), home(asio::make_work_guard(asio::get_associated_executor(handler))) {}
        void complete(T value) override {
            auto executor = home.get_executor();
            asio::post(executor,
                       [handler = std::move(handler), home = std::move(home),
                        value = std::move(value)]() mutable { std::move(handler)(std::move(value)); });
        }
        Handler handler;
        asio::executor_work_guard<asio::associated_executor_t<Handler>> home;
    };

public:
    template <class Handler>
    requires(!std::is_same_v<std::decay_t<Handler>, resumption>) explicit resumption(Handler handler)
        : held_(std::make_unique<holder<Handler>>(std::move(handler))) {}

    void complete(T value) { std::exchange(held_, nullptr)->complete(std::move(value)); }

private:
    std::unique_ptr<base> held_;
};

/// Calls @p start with the resumption of the awaiting coroutine and suspends until that is completed.
template <class T, class Start>
task<T> suspend(Start start) {
    auto initiate = [](auto handler, Start begin) { begin(resumption<T>(std::move(handler))); };
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<io_executor>, void(T)>(
        initiate, use_task, std::move(start));
}

}  // namespace gallery::file_store
