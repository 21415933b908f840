// SPDX-License-Identifier: Apache-2.0
#include "images/byte_budget.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace gallery::images {

namespace {

error stopping_error() {
    return {errc::unavailable, "The server is stopping. The upload was not accepted."};
}

}  // namespace

byte_budget::lease::lease(lease&& other) noexcept
    : budget_(std::exchange(other.budget_, nullptr)),
      owner_(other.owner_),
      size_(std::exchange(other.size_, 0)) {}

byte_budget::lease& byte_budget::lease::operator=(lease&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(owner_, other.owner_);
    std::swap(size_, other.size_);
    return *this;
}

byte_budget::lease::~lease() {
    if (budget_ != nullptr) budget_->release(owner_, size_);
}

void byte_budget::lease::shrink(std::uint64_t smaller) {
    if (smaller >= size_) return;
    budget_->release(owner_, size_ - smaller);
    size_ = smaller;
}

byte_budget::byte_budget(std::uint64_t capacity, std::chrono::seconds patience)
    : capacity_(capacity), patience_(patience) {}

task<result<byte_budget::lease>> byte_budget::acquire(tenant_id owner, std::uint64_t size) {
    patience_timer patience(co_await asio::this_coro::executor);
    auto start = [this, owner, size, &patience](resumption<result<lease>> waiting) {
        enqueue(owner, size, std::move(waiting), patience);
    };
    co_return co_await suspend<result<lease>>(std::move(start));
}

void byte_budget::enqueue(const tenant_id& owner, std::uint64_t size, resumption<result<lease>> waiting,
                          patience_timer& patience) {
    const std::scoped_lock lock(mutex_);
    if (stopped_) return waiting.complete(stopping_error());
    const auto number = ++last_number_;
    waiters_.push_back({number, owner, size, std::move(waiting)});
    admit();
    if (waiters_.empty() || waiters_.back().number != number) return;
    // The coroutine destroys the timer when it resumes, on the thread of this call.
    patience.expires_after(patience_);
    patience.async_wait([this, number](const boost::system::error_code& cancelled) {
        if (!cancelled) give_up(number);
    });
}

void byte_budget::give_up(std::uint64_t number) {
    const std::scoped_lock lock(mutex_);
    const auto found = std::ranges::find(waiters_, number, &waiter::number);
    if (found == waiters_.end()) return;
    found->waiting.complete(
        error{errc::busy,
              "The memory for uploads is in use (HTTP_UPLOAD_MEMORY), and none became available for "
              "this upload within " +
                  std::to_string(patience_.count()) + " s. Try again later."});
    waiters_.erase(found);
    admit();  // whoever stood behind this one may fit
}

void byte_budget::stop() {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
    for (auto& each : waiters_)
        each.waiting.complete(stopping_error());
    waiters_.clear();
}

std::uint64_t byte_budget::in_use() const {
    const std::scoped_lock lock(mutex_);
    return used_;
}

std::size_t byte_budget::waiting() const {
    const std::scoped_lock lock(mutex_);
    return waiters_.size();
}

void byte_budget::release(const tenant_id& owner, std::uint64_t size) {
    const std::scoped_lock lock(mutex_);
    used_ -= size;
    if (const auto own = used_by_.find(owner); own != used_by_.end()) {
        own->second -= size;
        if (own->second == 0) used_by_.erase(own);
    }
    admit();
}

bool byte_budget::fits_the_part(const tenant_id& owner, std::uint64_t size) const {
    const auto own = used_by_.find(owner);
    return own == used_by_.end() || own->second + size <= capacity_ / 4 * 3;
}

// In order of arrival. Who does not fit the whole holds up everybody behind, and who does not fit the
// tenant's part those of the same tenant.
void byte_budget::admit() {
    std::vector<tenant_id> held_up;
    for (auto at = waiters_.begin(); at != waiters_.end();) {
        waiter& next = *at;
        if (std::ranges::find(held_up, next.owner) != held_up.end()) {
            ++at;
        } else if (!fits_the_part(next.owner, next.size)) {
            held_up.push_back(next.owner);
            ++at;
        } else if (fits_the_whole(next.size)) {
            used_ += next.size;
            if (next.size > 0) used_by_[next.owner] += next.size;
            next.waiting.complete(lease(this, next.owner, next.size));
            at = waiters_.erase(at);
        } else {
            return;
        }
    }
}

}  // namespace gallery::images
