// SPDX-License-Identifier: Apache-2.0
#include "images/wake_up.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>

namespace gallery::images {

task<> wake_up::wait(std::chrono::seconds patience) {
    // Not after wake(): that would have been overwritten.
    if (timer_.expiry() != clock::time_point::min()) timer_.expires_after(patience);
    boost::system::error_code ignored;
    co_await timer_.async_wait(asio::redirect_error(use_task, ignored));
}

task<> wake_up::wait() {
    return wait(std::chrono::hours(24 * 365));
}

void wake_up::wake() {
    auto home = timer_.get_executor();
    asio::post(home, [self = shared_from_this()] { self->timer_.expires_at(clock::time_point::min()); });
}

}  // namespace gallery::images
