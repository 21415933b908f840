// SPDX-License-Identifier: Apache-2.0
/// An answer that a coroutine waits for.
#pragma once

#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <optional>
#include <utility>

namespace gallery::postgres {

/// A resumption that is completed in any case: with an error where it is destroyed before, for instance by an
/// exception.
template <class T>
class reply {
public:
    explicit reply(resumption<result<T>> waiting) : waiting_(std::move(waiting)) {}
    reply(reply&& other) noexcept : waiting_(std::exchange(other.waiting_, std::nullopt)) {}
    reply& operator=(reply&& other) noexcept {
        std::swap(waiting_, other.waiting_);
        return *this;
    }
    ~reply() {
        if (waiting_) complete(error{errc::unavailable, "The postgresql store gave this request up."});
    }

    void complete(result<T> with) {
        auto waiting = std::exchange(waiting_, std::nullopt);
        waiting->complete(std::move(with));
    }

private:
    std::optional<resumption<result<T>>> waiting_;
};

}  // namespace gallery::postgres
