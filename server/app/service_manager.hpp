// SPDX-License-Identifier: Apache-2.0
/// Reports the server's state to the service manager that started it, by the protocol of sd_notify(3).
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace gallery::app {

/// Without a service manager every report has no effect. Threads: every const member may be called by any.
class service_manager {
public:
    /// Takes NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID out of the environment, so that no other process
    /// reports in the server's name. Call before there are threads.
    static service_manager from_environment();

    /// The store is being opened, which takes long where it is upgraded or recovered.
    void opening() const noexcept;
    /// The server answers requests at @p url, which `systemctl status` shows with @p note behind it.
    void ready(const std::string& url, std::string_view note = {}) const;
    /// The configuration is being reloaded; ready() ends that. Requests are answered meanwhile.
    void reloading() const;
    /// The server stops.
    void stopping() const noexcept;
    /// The server works. Due once per watchdog_timeout().
    void alive() const noexcept;

    /// The service manager restarts a server that has not reported to be alive for so long. 0: never.
    [[nodiscard]] std::chrono::microseconds watchdog_timeout() const noexcept { return watchdog_timeout_; }

private:
    void report(std::string_view state) const noexcept;

    std::string socket_;  ///< a path, or an abstract name that begins with '@'; empty: no service manager
    std::chrono::microseconds watchdog_timeout_{0};
};

}  // namespace gallery::app
