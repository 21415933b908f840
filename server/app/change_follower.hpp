// SPDX-License-Identifier: Apache-2.0
/// Follows the store's change feed to keep the memory of this server current, also after changes by other
/// servers. Drops entries of the ETag cache and reads accounts again.
#pragma once

#include "accounts/directory.hpp"
#include "app/periodic.hpp"
#include "cache/etag_cache.hpp"
#include "cache/freshness.hpp"

#include <gallery/mutex.hpp>
#include <gallery/storage.hpp>
#include <gallery/task.hpp>

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string_view>
#include <vector>

namespace gallery::app {

/// The object that a store calls after each commit, on any thread. It exists before the store's first write,
/// and before there is an I/O thread to wake.
class change_signal {
public:
    /// Cheap; wakes the listener once for any number of calls that come before it looks.
    void notify();
    void listen(std::function<void()> wake);
    /// True where notify() was called since the last take().
    bool take() noexcept { return pending_.exchange(false, std::memory_order_acq_rel); }

private:
    std::atomic<bool> pending_{false};
    mutex mutex_;
    std::function<void()> wake_ GALLERY_GUARDED_BY(mutex_);  ///< empty: there is no listener
};

struct follower_options {
    /// How often the feed is read without a notification.
    std::chrono::milliseconds interval{5'000};
    /// How long catch_up() waits. 0: it is not called.
    std::chrono::milliseconds patience{0};
    /// Whether no other server writes to the store at the moment; the interval is then alone_interval. Any
    /// thread. Empty: never.
    std::function<bool()> is_alone{};
    std::chrono::milliseconds alone_interval{5'000};
    /// Awaited when the store is marked as superseded, and when changes were lost. An error
    /// ends the freshness of memory until it succeeds. Empty: nothing is checked.
    std::function<task<result<void>>()> check_current{};
};

class change_follower {
public:
    /// All of them outlive this; it runs on @p executor. @p fresh is renewed with each look at the feed that
    /// reaches its end. @p complain is told what went wrong.
    change_follower(change_feed& feed, cache::etag_cache& etags, accounts::directory& accounts,
                    cache::freshness& fresh, std::shared_ptr<change_signal> signal, io_executor executor,
                    std::function<void(std::string_view)> complain, follower_options options = {});

    /// Remembers where the feed ends now; to be awaited before accounts are loaded, so that nothing is missed
    /// between the two.
    task<result<void>> begin();

    /// Precondition: begin() succeeded.
    void start();

    /// Returns when memory contains every write that any process had been told to be committed before the
    /// call. On any I/O thread. Errors: unavailable where that takes too long, those of the store.
    task<result<void>> catch_up() { return catch_up(options_.patience); }
    /// The same with another limit.
    task<result<void>> catch_up(std::chrono::milliseconds patience);

    /// Reads the feed without waiting for the interval. Any thread.
    void read_soon() { signal_->notify(); }

    /// Returns when nothing of it is under way any more. Precondition: not called on @p executor.
    void stop();

    change_follower(const change_follower&) = delete;
    change_follower& operator=(const change_follower&) = delete;

private:
    struct waiter {
        revision until;
        std::chrono::steady_clock::time_point deadline;
        resumption<bool> waiting;
    };

    task<void> run();
    task<result<void>> read_feed();
    task<result<void>> apply(change_batch& batch);
    task<bool> reach(revision rev, std::chrono::milliseconds patience);
    [[nodiscard]] std::chrono::milliseconds interval() const {
        return options_.is_alone && options_.is_alone() ? options_.alone_interval : options_.interval;
    }
    void wake_waiters(std::chrono::steady_clock::time_point now, bool all);

    change_feed& feed_;
    cache::etag_cache& etags_;
    accounts::directory& accounts_;
    cache::freshness& fresh_;
    std::shared_ptr<change_signal> signal_;
    io_executor executor_;
    std::function<void(std::string_view)> complain_;
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                               io_executor>
        timer_;
    const follower_options options_;
    std::atomic<revision> seen_{0};  ///< memory contains the feed up to here
    std::atomic<bool> was_fresh_{false};
    mutex waiters_mutex_;
    std::vector<waiter> waiters_ GALLERY_GUARDED_BY(waiters_mutex_);
    bool ended_waiting_ GALLERY_GUARDED_BY(waiters_mutex_) = false;
    std::unique_ptr<periodic> impatience_;
    bool started_ = false;
    bool stopping_ = false;  ///< used on executor_ only
    std::promise<void> ended_;
};

}  // namespace gallery::app
