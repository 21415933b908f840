// SPDX-License-Identifier: Apache-2.0
#include <gallery/byte_gate.hpp>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>

namespace gallery {

struct byte_gate::waiter {
    const std::uint64_t size;
    const std::optional<tenant_id> owner;
    const std::uint64_t held;                // of the lease that grows; 0 for new work
    const bool is_patient;                   // waits without an end
    std::optional<answer> answered;          // empty while it waits
    std::optional<resumption<answer>> work;  // empty until the coroutine is suspended
    std::uint64_t passed_by = 0;             // bytes of later work that was admitted before
};

namespace {

using wait_clock = std::chrono::steady_clock;
using wait_timer = asio::basic_waitable_timer<wait_clock, asio::wait_traits<wait_clock>, io_executor>;

error stopping() {
    return {errc::unavailable, "The server is stopping."};
}

}  // namespace

byte_gate::lease::lease(lease&& other) noexcept
    : gate_(std::exchange(other.gate_, nullptr)),
      owner_(other.owner_),
      size_(std::exchange(other.size_, 0)) {}

byte_gate::lease& byte_gate::lease::operator=(lease&& other) noexcept {
    std::swap(gate_, other.gate_);
    std::swap(owner_, other.owner_);
    std::swap(size_, other.size_);
    return *this;
}

byte_gate::lease::~lease() {
    if (gate_ != nullptr) gate_->leave(owner_, size_);
}

void byte_gate::lease::shrink(std::uint64_t smaller) {
    if (smaller >= size_) return;
    if (gate_ != nullptr) gate_->leave(owner_, size_ - smaller);
    size_ = smaller;
}

void byte_gate::lease::add(lease more) noexcept {
    if (gate_ == nullptr) {
        *this = std::move(more);
    } else {
        size_ += std::exchange(more.size_, 0);
    }
}

byte_gate::byte_gate(const limits& chosen)
    : uncounted_(chosen.uncounted), limit_(chosen.all), limit_of_owner_(chosen.each_owner) {}

byte_gate::~byte_gate() {
    // A waiter's coroutine refers to the waiter, so that each would keep the other.
    for (const auto& each : std::exchange(waiting_, {}))
        each->work.reset();
}

task<byte_gate::lease> byte_gate::enter(std::uint64_t size) {
    if (size <= uncounted_) co_return lease();
    co_await wait(size, std::nullopt, std::nullopt);
    co_return lease(this, std::nullopt, size);
}

task<result<byte_gate::lease>> byte_gate::enter(std::uint64_t size, tenant_id owner,
                                                std::chrono::milliseconds patience) {
    if (size <= uncounted_) co_return lease();
    const auto got = co_await wait(size, owner, patience);
    switch (got) {
        case answer::admitted:
            co_return lease(this, owner, size);
        case answer::out_of_time:
            co_return error{errc::busy,
                            "Memory is in use, and none became available in time. Try again later."};
        case answer::another_grows:
        case answer::stopped:
            break;
    }
    co_return stopping();
}

task<result<void>> byte_gate::grow(lease& mine, std::uint64_t more, tenant_id owner,
                                   std::chrono::milliseconds patience) {
    if (more == 0) co_return result<void>();
    const auto got = co_await wait(more, owner, patience, mine.size());
    switch (got) {
        case answer::admitted:
            mine.add(lease(this, owner, more));
            co_return result<void>();
        case answer::out_of_time:
        case answer::another_grows:
            co_return error{errc::busy, "Memory is in use. Try again later."};
        case answer::stopped:
            break;
    }
    co_return stopping();
}

task<byte_gate::answer> byte_gate::wait(std::uint64_t size, std::optional<tenant_id> owner,
                                        std::optional<std::chrono::milliseconds> patience,
                                        std::uint64_t held) {
    const auto mine = std::make_shared<waiter>(
        waiter{size, owner, held, !patience.has_value(), std::nullopt, std::nullopt});
    {
        const lock_guard lock(mutex_);
        if (is_stopped_ && !mine->is_patient) co_return answer::stopped;
        const bool another_grows = !waiting_.empty() && waiting_.front()->held > 0;
        waiting_.insert(held > 0 ? waiting_.begin() : waiting_.end(), mine);
        // Nobody else can be admitted by this: what another one waits for has not become less.
        (void)admit();
        if (mine->answered) co_return *mine->answered;
        if (held > 0 && another_grows) {
            waiting_.remove(mine);
            co_return answer::another_grows;
        }
    }
    const auto executor = co_await asio::this_coro::executor;
    std::optional<wait_timer> timer;
    if (patience) {
        timer.emplace(executor, *patience);
        timer->async_wait([this, mine](const boost::system::error_code& failure) {
            if (!failure) give_up(mine);
        });
    }
    auto start = [this, mine](resumption<answer> work) {
        {
            const lock_guard lock(mutex_);
            if (!mine->answered) {
                mine->work = std::move(work);
                return;
            }
        }
        work.complete(answer{*mine->answered});
    };
    // The timer ends with this coroutine, on its own thread.
    co_return co_await suspend<answer>(std::move(start));
}

void byte_gate::give_up(const waiter_ptr& mine) {
    std::optional<resumption<answer>> refused;
    std::vector<resumption<answer>> others;
    {
        const lock_guard lock(mutex_);
        if (mine->answered) return;
        mine->answered = answer::out_of_time;
        waiting_.remove(mine);
        refused = std::exchange(mine->work, std::nullopt);
        others = admit();  // work behind this one may fit
    }
    if (refused) refused->complete(answer::out_of_time);
    for (auto& each : others)
        each.complete(answer::admitted);
}

void byte_gate::set_limits(std::uint64_t all, std::uint64_t each_owner) {
    std::vector<resumption<answer>> others;
    {
        const lock_guard lock(mutex_);
        limit_ = all;
        limit_of_owner_ = each_owner;
        others = admit();
    }
    for (auto& each : others)
        each.complete(answer::admitted);
}

void byte_gate::stop() {
    std::vector<resumption<answer>> refused;
    const lock_guard lock(mutex_);
    is_stopped_ = true;
    waiting_.remove_if([&refused](const waiter_ptr& each) {
        if (each->is_patient) return false;
        each->answered = answer::stopped;
        if (each->work) refused.push_back(*std::exchange(each->work, std::nullopt));
        return true;
    });
    for (auto& each : refused)
        each.complete(answer::stopped);
}

void byte_gate::leave(const std::optional<tenant_id>& owner, std::uint64_t size) {
    std::vector<resumption<answer>> others;
    {
        const lock_guard lock(mutex_);
        in_use_ -= size;
        if (const auto own = owner ? of_owner_.find(*owner) : of_owner_.end(); own != of_owner_.end()) {
            own->second -= size;
            if (own->second == 0) of_owner_.erase(own);
        }
        others = admit();
    }
    for (auto& each : others)
        each.complete(answer::admitted);
}

std::uint64_t byte_gate::in_use() const {
    const lock_guard lock(mutex_);
    return in_use_;
}

std::size_t byte_gate::waiting() const {
    const lock_guard lock(mutex_);
    return waiting_.size();
}

bool byte_gate::fits(const waiter& next) const noexcept {
    return in_use_ == next.held || (next.size <= limit_ && in_use_ <= limit_ - next.size);
}

bool byte_gate::fits_owner(const waiter& next) const {
    if (!next.owner) return true;
    const auto own = of_owner_.find(*next.owner);
    return own == of_owner_.end() || own->second == next.held ||
           (next.size <= limit_of_owner_ && own->second <= limit_of_owner_ - next.size);
}

bool byte_gate::may_pass(const waiter& next, const waiter& blocked) const {
    const auto most = limit_ / 4;
    return next.owner && !of_owner_.contains(*next.owner) && next.size <= most &&
           blocked.passed_by <= most - next.size;
}

bool byte_gate::may_pass_all(const waiter& next, const std::vector<waiter*>& blocked) const {
    for (const auto* each : blocked) {
        if (!may_pass(next, *each)) return false;
    }
    return true;
}

// In order of arrival. Work that does not fit its owner's part delays work of the same owner. Work that does
// not fit the whole delays all work behind it, except work that may pass. A lease that grows comes first.
// Work behind it must be allowed to pass both it and the first new work that does not fit.
std::vector<resumption<byte_gate::answer>> byte_gate::admit() {
    std::vector<resumption<answer>> resumed;
    std::vector<tenant_id> delayed;
    std::vector<waiter*> blocked;
    for (auto at = waiting_.begin(); at != waiting_.end();) {
        waiter& next = **at;
        const bool is_delayed = next.owner && std::ranges::find(delayed, *next.owner) != delayed.end();
        if (is_delayed || !fits_owner(next)) {
            if (!is_delayed) delayed.push_back(*next.owner);
            ++at;
        } else if (!fits(next) || !may_pass_all(next, blocked)) {
            if (blocked.empty() || blocked.back()->held > 0) blocked.push_back(&next);
            if (next.owner) delayed.push_back(*next.owner);
            ++at;
        } else {
            for (auto* each : blocked)
                each->passed_by += next.size;
            in_use_ += next.size;
            if (next.owner && next.size > 0) of_owner_[*next.owner] += next.size;
            next.answered = answer::admitted;
            if (next.work) resumed.push_back(*std::exchange(next.work, std::nullopt));
            at = waiting_.erase(at);
        }
    }
    return resumed;
}

}  // namespace gallery
