// SPDX-License-Identifier: Apache-2.0
#include "app/change_follower.hpp"

#include "app/wait.hpp"
#include "mirror/superseded.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <string>
#include <utility>

namespace gallery::app {

namespace {

constexpr std::size_t batch_size = 500;

/// How long after a failure the feed is looked at again at the latest.
constexpr std::chrono::milliseconds after_failure{1'000};

}  // namespace

void change_signal::notify() {
    if (pending_.exchange(true, std::memory_order_acq_rel)) return;
    const lock_guard lock(mutex_);
    if (wake_) wake_();
}

void change_signal::listen(std::function<void()> wake) {
    const lock_guard lock(mutex_);
    wake_ = std::move(wake);
}

change_follower::change_follower(change_feed& feed, cache::etag_cache& etags, accounts::directory& accounts,
                                 cache::freshness& fresh, std::shared_ptr<change_signal> signal,
                                 io_executor executor, std::function<void(std::string_view)> complain,
                                 follower_options options)
    : feed_(feed),
      etags_(etags),
      accounts_(accounts),
      fresh_(fresh),
      signal_(std::move(signal)),
      executor_(executor),
      complain_(std::move(complain)),
      timer_(executor_),
      options_(std::move(options)) {}

task<result<void>> change_follower::begin() {
    auto newest = co_await feed_.last();
    if (!newest) co_return newest.error();
    seen_.store(*newest, std::memory_order_release);
    co_return result<void>();
}

void change_follower::start() {
    started_ = true;
    signal_->listen([this] { asio::post(executor_, [this] { timer_.cancel(); }); });
    // Apart from run(), which may itself be waiting for a store that does not answer.
    const auto quarter = std::max(options_.patience / 4, std::chrono::milliseconds(1));
    if (options_.patience.count() != 0) {
        impatience_ = std::make_unique<periodic>(executor_, quarter, [this]() -> task<void> {
            wake_waiters(std::chrono::steady_clock::now(), false);
            co_return;
        });
    }
    asio::co_spawn(executor_, run(), [this](std::exception_ptr) { ended_.set_value(); });
}

void change_follower::stop() {
    if (!started_) return;
    started_ = false;
    if (impatience_) impatience_->stop();
    wake_waiters({}, true);
    asio::post(executor_, [this] {
        stopping_ = true;
        timer_.cancel();
    });
    ended_.get_future().wait();
    // The engine may notify once more until it is closed; what it has posted before still refers to this.
    signal_->listen(nullptr);
    wait_for_posted(executor_);
}

task<void> change_follower::run() {
    bool failing = false;
    while (!stopping_) {
        signal_->take();
        result<void> outcome;
        try {
            outcome = co_await read_feed();
        } catch (const std::exception& thrown) {
            outcome = error{errc::internal, thrown.what()};
        }
        if (!outcome) {
            // What was written by others is not known now, so nothing may be answered from memory.
            etags_.clear();
            if (!failing) complain_("the change feed cannot be read: " + outcome.error().message);
        }
        failing = !outcome;
        if (stopping_) break;
        if (!failing && signal_->take()) continue;
        timer_.expires_after(failing ? std::min(after_failure, interval()) : interval());
        boost::system::error_code cancelled;
        co_await timer_.async_wait(asio::redirect_error(use_task, cancelled));
    }
}

task<result<void>> change_follower::read_feed() {
    for (;;) {
        auto batch = co_await feed_.changes(seen_.load(std::memory_order_relaxed), batch_size);
        if (!batch) co_return batch.error();
        auto applied = co_await apply(*batch);
        if (!applied) co_return applied;
        seen_.store(batch->next, std::memory_order_release);
        const bool is_end = batch->horizon != std::chrono::steady_clock::time_point::min();
        if (is_end) {
            fresh_.renew(batch->horizon);
            if (fresh_.holds()) was_fresh_.store(true, std::memory_order_relaxed);
        }
        wake_waiters(std::chrono::steady_clock::now(), false);
        const bool more = !is_end && batch->changes.size() >= batch_size;
        if (!more || stopping_) co_return result<void>();
    }
}

task<result<void>> change_follower::apply(change_batch& batch) {
    if (batch.gap) {
        etags_.clear();
        auto loaded = co_await accounts_.load();
        if (!loaded) co_return loaded;
        if (options_.check_current) {
            if (auto current = co_await options_.check_current(); !current) co_return current;
        }
    }
    for (auto& change : batch.changes) {
        switch (change.what) {
            case change::kind::image_saved:
            case change::kind::image_updated:
            case change::kind::image_erased:
                etags_.invalidate(change.tenant, change.key);
                if (!change.public_key.empty()) etags_.invalidate_public(change.public_key);
                break;
            case change::kind::version_kept:
            case change::kind::version_dropped:
                // Nothing that is answered from memory follows from a kept version.
                break;
            case change::kind::document_saved:
            case change::kind::document_erased: {
                if (options_.check_current && change.document_kind == mirror::superseded_kind) {
                    if (auto current = co_await options_.check_current(); !current) co_return current;
                }
                auto applied = co_await accounts_.apply(std::move(change));
                if (!applied) co_return applied;
                break;
            }
        }
    }
    co_return result<void>();
}

task<result<void>> change_follower::catch_up(std::chrono::milliseconds patience) {
    // Without asking a store that may take long to say no.
    if (was_fresh_.load(std::memory_order_relaxed) && !fresh_.holds()) {
        co_return error{errc::unavailable, "the changes of the store cannot be followed at the moment"};
    }
    const auto newest = co_await feed_.last();
    if (!newest) co_return newest.error();
    const bool reached = co_await reach(*newest, patience);
    if (!reached) {
        co_return error{errc::unavailable, "the changes of other servers have not arrived within " +
                                               std::to_string(patience.count()) + " ms"};
    }
    co_return result<void>();
}

task<bool> change_follower::reach(revision rev, std::chrono::milliseconds patience) {
    if (seen_.load(std::memory_order_acquire) >= rev) co_return true;
    signal_->notify();
    auto wait = [this, rev, patience](resumption<bool> waiting) {
        const lock_guard lock(waiters_mutex_);
        // Looked at again under the lock, under which waiters are woken after seen_ has changed.
        const bool reached = seen_.load(std::memory_order_acquire) >= rev;
        if (reached || ended_waiting_) {
            waiting.complete(reached);
            return;
        }
        waiters_.push_back({rev, std::chrono::steady_clock::now() + patience, std::move(waiting)});
    };
    co_return co_await suspend<bool>(std::move(wait));
}

/// Those whose revision was reached or whose time is up; all, for the end.
void change_follower::wake_waiters(std::chrono::steady_clock::time_point now, bool all) {
    const lock_guard lock(waiters_mutex_);
    ended_waiting_ = ended_waiting_ || all;
    const auto seen = seen_.load(std::memory_order_acquire);
    std::erase_if(waiters_, [&](waiter& one) {
        const bool reached = one.until <= seen;
        if (!reached && !all && now < one.deadline) return false;
        one.waiting.complete(reached);
        return true;
    });
}

}  // namespace gallery::app
