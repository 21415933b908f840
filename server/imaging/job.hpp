// SPDX-License-Identifier: Apache-2.0
/// A picture on its way through the pool, and who waits for it.
#pragma once

#include "imaging/picture.hpp"
#include "imaging/upload.hpp"

#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <utility>

namespace gallery::imaging {

class job {
public:
    explicit job(upload what) noexcept : what_(std::move(what)) {}
    job(const job&) = delete;
    job& operator=(const job&) = delete;
    virtual ~job() = default;

    [[nodiscard]] const body& original() const noexcept { return what_.original; }
    [[nodiscard]] const tenant_id& tenant() const noexcept { return what_.tenant; }
    [[nodiscard]] const sha256_digest& content() const noexcept { return what_.content; }
    /// Exactly once, from any thread: posts the outcome to whoever waits. The bytes are let go.
    virtual void complete(result<picture> outcome) = 0;

protected:
    void forget_original() noexcept { what_.original = {}; }

private:
    upload what_;
};

/// A job whose waiter is a completion handler.
template <class Handler>
class handler_job final : public job {
public:
    handler_job(upload what, Handler handler)
        : job(std::move(what)), home_(asio::get_associated_executor(handler)), handler_(std::move(handler)) {}

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
