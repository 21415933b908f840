#include "gallery/byte_budget.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace gallery::service {

using timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, io_executor>;

struct byte_budget::waiter {
    waiter(io_executor executor, std::uint64_t wanted) : wake(executor), size(wanted) {}
    timer wake;  // used on its own I/O thread only
    const std::uint64_t size;
    bool granted = false;  // guarded by the budget's mutex
};

byte_budget::lease::lease(lease&& other) noexcept
    : budget_(std::exchange(other.budget_, nullptr)), size_(std::exchange(other.size_, 0)) {}

byte_budget::lease& byte_budget::lease::operator=(lease&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(size_, other.size_);
    return *this;
}

byte_budget::lease::~lease() {
    if (budget_ != nullptr) budget_->release(size_);
}

void byte_budget::lease::shrink(std::uint64_t smaller) {
    if (smaller >= size_) return;
    budget_->release(size_ - smaller);
    size_ = smaller;
}

byte_budget::byte_budget(std::uint64_t capacity, std::chrono::seconds patience)
    : capacity_(capacity), patience_(patience) {}

task<result<byte_budget::lease>> byte_budget::acquire(std::uint64_t size) {
    std::shared_ptr<waiter> mine;
    const auto executor = co_await asio::this_coro::executor;
    {
        const std::scoped_lock lock(mutex_);
        if (waiters_.empty() && fits(size)) {
            used_ += size;
            co_return lease(this, size);
        }
        mine = std::make_shared<waiter>(executor, size);
        mine->wake.expires_after(patience_);
        waiters_.push_back(mine);
    }
    boost::system::error_code ignored;
    co_await mine->wake.async_wait(asio::redirect_error(use_task, ignored));
    const std::scoped_lock lock(mutex_);
    if (mine->granted) co_return lease(this, size);
    std::erase(waiters_, mine);
    admit();  // whoever stood behind this one may fit
    co_return error{errc::busy,
                    "The server has as many uploads in memory as it may (HTTP_UPLOAD_MEMORY), and this one's "
                    "turn did not come within " +
                        std::to_string(patience_.count()) + " s. Try again later."};
}

std::uint64_t byte_budget::in_use() const {
    const std::scoped_lock lock(mutex_);
    return used_;
}

std::size_t byte_budget::waiting() const {
    const std::scoped_lock lock(mutex_);
    return waiters_.size();
}

void byte_budget::release(std::uint64_t size) {
    const std::scoped_lock lock(mutex_);
    used_ -= size;
    admit();
}

void byte_budget::admit() {
    while (!waiters_.empty() && fits(waiters_.front()->size)) {
        auto next = std::move(waiters_.front());
        waiters_.pop_front();
        used_ += next->size;
        next->granted = true;
        auto executor = next->wake.get_executor();
        // expires_at() rather than cancel(): it also ends a wait that begins after this ran.
        asio::post(executor, [next = std::move(next)] { next->wake.expires_at(timer::time_point::min()); });
    }
}

}  // namespace gallery::service
