// SPDX-License-Identifier: Apache-2.0
/// The scrub of a running server: reads every body again and again, so that damage is found early.
///
/// It has a thread of its own with a low priority and an own io_context, as the mirror has. One body is read
/// at a time, within a rate. Commands are handed to that thread, which executes them between two bodies.
#pragma once

#include "scrub/scrubber.hpp"

#include <gallery/error.hpp>
#include <gallery/mutex.hpp>
#include <gallery/storage_engine.hpp>
#include <gallery/task.hpp>

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <thread>

namespace gallery::scrub {

class service {
public:
    /// @p store is used from begin() until shut_down().
    service(storage_engine& store, scrub_options options, std::chrono::milliseconds interval,
            std::uint64_t rate);
    service(const service&) = delete;
    service& operator=(const service&) = delete;
    /// shut_down()s. Destroy it after the store: a thread of that engine may still be leaving the context
    /// that it has posted to.
    ~service();

    /// Starts the thread. Call it once. Commands wait for it.
    void begin();

    /// Ends the work after the body that is being read, and joins the thread. The pass continues with the
    /// next start of the server. Waiting commands fail with unavailable.
    void shut_down();

    /// For work from now on. Any thread.
    void change(std::chrono::milliseconds interval, std::uint64_t rate);

    // Commands return when they are executed. Error of both: unavailable during shut_down().

    /// As scrubber::start().
    task<result<scrub_status>> start(std::optional<std::uint64_t> rate);
    /// As scrubber::stop().
    task<result<scrub_status>> stop();

    /// Any thread.
    [[nodiscard]] scrub_status status() const { return board_.read(); }
    [[nodiscard]] std::chrono::milliseconds interval() const { return live_.interval.load(); }

private:
    using answer = result<scrub_status>;
    struct command {
        std::function<task<result<void>>()> run;
        resumption<answer> waiting;
    };

    task<answer> execute(std::function<task<result<void>>()> run);
    void work();
    void run_commands();
    void refuse_commands();
    /// Waits until there is a command, a change, shut_down(), or @p how_long has passed.
    void wait(std::chrono::milliseconds how_long);
    [[nodiscard]] bool is_interrupted() const;

    const scrub_options options_;
    live_settings live_;
    status_board board_;
    asio::io_context context_{1};
    scrubber scrubber_;  ///< used by the own thread only

    mutable mutex mutex_;
    condition_variable changed_;
    std::deque<command> commands_ GALLERY_GUARDED_BY(mutex_);
    bool is_closed_ GALLERY_GUARDED_BY(mutex_) = false;   ///< commands are refused
    bool is_changed_ GALLERY_GUARDED_BY(mutex_) = false;  ///< the settings
    std::atomic<bool> is_ending_{false};

    std::thread thread_;  ///< last: it uses all others
};

}  // namespace gallery::scrub
