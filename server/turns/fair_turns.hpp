// SPDX-License-Identifier: Apache-2.0
/// Lets a bounded number of coroutines do something at a time, and others wait in the order of a fair_queue.
///
///     auto turn = co_await turns.take(tenant);
///     if (!turn) co_return turn.error();
///     ...  // until the turn is destroyed
///
/// One user's waiting coroutines are bounded, so that a user with too many requests is refused, and not
/// the others. Work that all users depend on takes precedence over all that waits (take_first()).
#pragma once

#include "turns/fair_queue.hpp"

#include <gallery/error.hpp>
#include <gallery/mutex.hpp>
#include <gallery/task.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace gallery {

/// May be awaited on any thread; a waiter resumes on its own executor. Must outlive every turn and waiter.
template <class Key>
class fair_turns {
public:
    struct limits {
        std::size_t at_once = 1;
        std::size_t waiting_per_user = 0;
        std::size_t waiting = 0;
    };

    /// Lasts until it is destroyed, on any thread. Movable.
    class turn {
    public:
        turn(turn&& other) noexcept
            : of_(std::exchange(other.of_, nullptr)), who_(std::move(other.who_)), began_(other.began_) {}
        turn& operator=(turn&&) = delete;
        ~turn() {
            if (of_ != nullptr) of_->end(who_, clock::now() - began_);
        }

    private:
        friend class fair_turns;
        turn(fair_turns* of, std::optional<Key> who) : of_(of), who_(std::move(who)), began_(clock::now()) {}

        fair_turns* of_;
        std::optional<Key> who_;  ///< no value: of take_first()
        std::chrono::steady_clock::time_point began_;
    };

    /// @p what names in errors what is waited for: "changes of accounts".
    fair_turns(std::string_view what, limits bounds)
        : what_(what), free_(bounds.at_once), queue_(bounds.waiting_per_user, bounds.waiting) {}
    fair_turns(const fair_turns&) = delete;
    fair_turns& operator=(const fair_turns&) = delete;

    /// Errors, at once: too_many_requests where @p who has too many waiting already; busy where all have, and
    /// after stop().
    task<result<turn>> take(Key who) {
        auto start = [this, &who](resumption<answer> waiting) { enqueue(who, std::move(waiting)); };
        const auto got = co_await suspend<answer>(std::move(start));
        if (got == answer::user_is_full) co_return too_many();
        if (got == answer::all_is_full) co_return busy();
        co_return turn(this, std::move(who));
    }

    /// Before all that waits, without a limit.
    task<turn> take_first() {
        auto start = [this](resumption<answer> waiting) {
            const lock_guard lock(mutex_);
            first_.push_back(std::move(waiting));
            admit();
        };
        co_await suspend<answer>(std::move(start));
        co_return turn(this, std::nullopt);
    }

    /// Refuses all callers that wait in take(), and all later ones. Called before their I/O contexts are
    /// destroyed.
    void stop() {
        const lock_guard lock(mutex_);
        stopped_ = true;
        for (auto& each : queue_.clear())
            each.complete(answer::all_is_full);
    }

    /// Without those of take_first().
    [[nodiscard]] std::size_t waiting() const {
        const lock_guard lock(mutex_);
        return queue_.size();
    }

private:
    using clock = std::chrono::steady_clock;
    enum class answer { yes, user_is_full, all_is_full };
    using queue = fair_queue<Key, resumption<answer>>;

    error too_many() const {
        error out{errc::too_many_requests,
                  "Too many " + what_ + " are waiting already. Try again in a moment"};
        out.retry_after = 1;
        return out;
    }
    error busy() const { return {errc::busy, "too many " + what_ + " are waiting"}; }

    void enqueue(const Key& who, resumption<answer> waiting) {
        const lock_guard lock(mutex_);
        if (stopped_) return waiting.complete(answer::all_is_full);
        if (free_ == 0) {
            switch (queue_.room_for(who)) {
                case queue::room::yes:
                    break;
                case queue::room::user_is_full:
                    return waiting.complete(answer::user_is_full);
                case queue::room::all_is_full:
                    return waiting.complete(answer::all_is_full);
            }
        }
        queue_.push(who, std::move(waiting));
        admit();
    }

    void end(const std::optional<Key>& who, clock::duration used) {
        const lock_guard lock(mutex_);
        if (who) queue_.done(*who, used);
        ++free_;
        admit();
    }

    // Where something waits, nothing is free.
    void admit() GALLERY_REQUIRES(mutex_) {
        while (free_ > 0) {
            std::optional<resumption<answer>> next;
            if (!first_.empty()) {
                next.emplace(std::move(first_.front()));
                first_.pop_front();
            } else {
                next = queue_.take();
            }
            if (!next) return;
            --free_;
            next->complete(answer::yes);
        }
    }

    const std::string what_;
    mutable mutex mutex_;
    std::size_t free_ GALLERY_GUARDED_BY(mutex_);
    bool stopped_ GALLERY_GUARDED_BY(mutex_) = false;
    std::deque<resumption<answer>> first_ GALLERY_GUARDED_BY(mutex_);
    queue queue_ GALLERY_GUARDED_BY(mutex_);
};

}  // namespace gallery
