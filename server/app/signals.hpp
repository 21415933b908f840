// SPDX-License-Identifier: Apache-2.0
/// Delivers signals as calls on a thread of its own.
#pragma once

#include <atomic>
#include <functional>
#include <future>
#include <thread>

namespace gallery::app {

/// While it exists SIGTERM, SIGINT and SIGHUP are handled; make it before any other thread, which then
/// inherits that they are blocked there.
class signal_listener {
public:
    signal_listener();
    signal_listener(const signal_listener&) = delete;
    signal_listener& operator=(const signal_listener&) = delete;
    ~signal_listener();

    /// Until listen() SIGTERM and SIGINT call @p at_once, on the listener's thread, which ends the process:
    /// what starts may be inside a plugin that never comes back. SIGHUP waits.
    void end_at_once(std::function<void()> at_once);

    /// From now on SIGHUP calls @p hang_up, on the listener's thread; a first SIGTERM or SIGINT ends wait();
    /// a second one calls @p at_once. Those that came before this are not lost. @p hang_up returns soon,
    /// because other signals wait for it. After wait() has returned it is neither running nor called again.
    void listen(std::function<void()> hang_up, std::function<void()> at_once);

    /// Returns when the server is to stop.
    void wait();

private:
    void end_thread();

    std::atomic<bool> ending_{false};
    std::promise<void> stop_;
    std::thread thread_;
};

}  // namespace gallery::app
