/// A picture on its way through the pool, and who waits for it.
#pragma once

#include "imaging/picture.hpp"

#include <gallery/bytes.hpp>
#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <utility>

namespace gallery::imaging {

class job {
public:
    explicit job(body original) noexcept : original_(std::move(original)) {}
    job(const job&) = delete;
    job& operator=(const job&) = delete;
    virtual ~job() = default;

    [[nodiscard]] const body& original() const noexcept { return original_; }
    /// Exactly once, from any thread: posts the outcome to whoever waits. The bytes are let go.
    virtual void complete(result<picture> outcome) = 0;

protected:
    void forget_original() noexcept { original_ = {}; }

private:
    body original_;
};

/// A job whose waiter is a completion handler.
template <class Handler>
class handler_job final : public job {
public:
    handler_job(body original, Handler handler)
        : job(std::move(original)),
          home_(asio::get_associated_executor(handler)),
          handler_(std::move(handler)) {}

    void complete(result<picture> outcome) override {
        forget_original();
        auto executor = home_.get_executor();
        asio::post(executor,
                   [handler = std::move(handler_), home = std::move(home_),
                    outcome = std::move(outcome)]() mutable { std::move(handler)(std::move(outcome)); });
    }

private:
    asio::executor_work_guard<asio::associated_executor_t<Handler>> home_;
    Handler handler_;
};

}  // namespace gallery::imaging
