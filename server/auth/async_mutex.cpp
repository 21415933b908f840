#include "auth/async_mutex.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

namespace gallery::auth {

void async_mutex::enqueue(std::unique_ptr<waiter> next) {
    {
        const std::lock_guard lock(mutex_);
        if (locked_) {
            waiters_.push_back(std::move(next));
            return;
        }
        locked_ = true;
    }
    next->resume();
}

void async_mutex::unlock() {
    std::unique_ptr<waiter> next;
    {
        const std::lock_guard lock(mutex_);
        if (waiters_.empty()) {
            locked_ = false;
            return;
        }
        next = std::move(waiters_.front());
        waiters_.pop_front();
    }
    next->resume();
}

task<async_mutex::guard> async_mutex::lock() {
    auto start = [](auto handler, async_mutex* self) {
        using handler_type = decltype(handler);
        struct typed final : waiter {
            explicit typed(handler_type what)
                : home(asio::make_work_guard(asio::get_associated_executor(what))),
                  handler(std::move(what)) {}
            void resume() override {
                auto executor = home.get_executor();
                asio::post(executor, [handler = std::move(handler), home = std::move(home)]() mutable {
                    std::move(handler)();
                });
            }
            asio::executor_work_guard<asio::associated_executor_t<handler_type>> home;
            handler_type handler;
        };
        self->enqueue(std::make_unique<typed>(std::move(handler)));
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<io_executor>, void()>(start, use_task, this);
    co_return guard(*this);
}

}  // namespace gallery::auth
