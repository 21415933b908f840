// SPDX-License-Identifier: Apache-2.0
/// Follows the store's change feed to keep the memory of this server current, whoever wrote the change. Drops
/// entries of the ETag cache and reads accounts again.
#pragma once

#include "accounts/directory.hpp"
#include "cache/etag_cache.hpp"

#include <gallery/storage.hpp>
#include <gallery/task.hpp>

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string_view>

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
    std::mutex mutex_;
    std::function<void()> wake_;  ///< guarded by mutex_; empty: nobody listens
};

class change_follower {
public:
    /// All of them outlive this; everything of it runs on @p home. @p complain is told what went wrong.
    change_follower(change_feed& feed, cache::etag_cache& etags, accounts::directory& accounts,
                    std::shared_ptr<change_signal> signal, io_executor home,
                    std::function<void(std::string_view)> complain);

    /// Remembers where the feed ends now; to be awaited before accounts are loaded, so that nothing is missed
    /// between the two.
    task<result<void>> begin();

    /// Precondition: begin() succeeded.
    void start();

    /// Returns when nothing of it is under way any more. Precondition: not called on @p home.
    void stop();

    change_follower(const change_follower&) = delete;
    change_follower& operator=(const change_follower&) = delete;

private:
    task<void> run();
    task<result<void>> catch_up();

    change_feed& feed_;
    cache::etag_cache& etags_;
    accounts::directory& accounts_;
    std::shared_ptr<change_signal> signal_;
    io_executor home_;
    std::function<void(std::string_view)> complain_;
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                               io_executor>
        timer_;
    revision seen_ = 0;
    bool started_ = false;
    bool stopping_ = false;  ///< used on home_ only
    std::promise<void> ended_;
};

}  // namespace gallery::app
