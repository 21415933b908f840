// SPDX-License-Identifier: Apache-2.0
#include "app/change_follower.hpp"

#include "app/wait.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>

#include <chrono>
#include <exception>
#include <string>
#include <utility>

namespace gallery::app {

namespace {

constexpr std::size_t batch_size = 500;

/// How often the feed is looked at where nobody tells: writes of other processes.
constexpr std::chrono::seconds look_again{5};
constexpr std::chrono::seconds after_failure{1};

}  // namespace

void change_signal::notify() {
    if (pending_.exchange(true, std::memory_order_acq_rel)) return;
    const std::lock_guard lock(mutex_);
    if (wake_) wake_();
}

void change_signal::listen(std::function<void()> wake) {
    const std::lock_guard lock(mutex_);
    wake_ = std::move(wake);
}

change_follower::change_follower(change_feed& feed, cache::etag_cache& etags, accounts::directory& accounts,
                                 std::shared_ptr<change_signal> signal, io_executor home,
                                 std::function<void(std::string_view)> complain)
    : feed_(feed),
      etags_(etags),
      accounts_(accounts),
      signal_(std::move(signal)),
      home_(home),
      complain_(std::move(complain)),
      timer_(home_) {}

task<result<void>> change_follower::begin() {
    auto newest = co_await feed_.last();
    if (!newest) co_return newest.error();
    seen_ = *newest;
    co_return result<void>();
}

void change_follower::start() {
    started_ = true;
    signal_->listen([this] { asio::post(home_, [this] { timer_.cancel(); }); });
    asio::co_spawn(home_, run(), [this](std::exception_ptr) { ended_.set_value(); });
}

void change_follower::stop() {
    if (!started_) return;
    started_ = false;
    asio::post(home_, [this] {
        stopping_ = true;
        timer_.cancel();
    });
    ended_.get_future().wait();
    // The engine may notify once more until it is closed; what it has posted before still refers to this.
    signal_->listen(nullptr);
    wait_for_posted(home_);
}

task<void> change_follower::run() {
    bool failing = false;
    while (!stopping_) {
        signal_->take();
        const auto outcome = co_await catch_up();
        if (!outcome) {
            // What was written by others is not known now, so nothing may be answered from memory.
            etags_.clear();
            if (!failing) complain_("the change feed cannot be read: " + outcome.error().message);
        }
        failing = !outcome;
        if (stopping_) break;
        if (!failing && signal_->take()) continue;
        timer_.expires_after(failing ? after_failure : look_again);
        boost::system::error_code cancelled;
        co_await timer_.async_wait(asio::redirect_error(use_task, cancelled));
    }
}

task<result<void>> change_follower::catch_up() {
    for (;;) {
        auto batch = co_await feed_.changes(seen_, batch_size);
        if (!batch) co_return batch.error();
        if (batch->gap) {
            etags_.clear();
            auto loaded = co_await accounts_.load();
            if (!loaded) co_return loaded;
        }
        for (auto& change : batch->changes) {
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
                    auto applied = co_await accounts_.apply(std::move(change));
                    if (!applied) co_return applied;
                    break;
                }
            }
        }
        const bool more = batch->changes.size() >= batch_size;
        seen_ = batch->next;
        if (!more || stopping_) co_return result<void>();
    }
}

}  // namespace gallery::app
