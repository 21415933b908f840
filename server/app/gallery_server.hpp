// SPDX-License-Identifier: Apache-2.0
/// The whole server: owns everything, starts it in order and stops it in the reverse one.
#pragma once

#include "config/load.hpp"

#include <gallery/error.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gallery::app {

struct start_options {
    bool demo = false;
    /// Called with the line of a generated password, which cannot be shown later, before the account is
    /// stored; an error ends the start with nothing stored.
    std::function<result<void>(std::string_view)> show;
    /// Called on an I/O thread several times within this time, as long as every I/O thread works. 0: never.
    std::chrono::microseconds watchdog_timeout{0};
    std::function<void()> alive;
    /// Reads the configuration again, for a reload. Called on a thread of its own, one call at a time.
    std::function<result<config::checked_configuration>()> read_configuration;
    std::string configuration_file;  ///< which that reads; empty: there was none at the start
    /// Called before and after each reload. The second one with the server's URL, and whether the
    /// configuration that was read is in use now. May be empty.
    std::function<void()> reloading;
    std::function<void(const std::string& url, bool done)> reloaded;
};

/// The start report for the operator; lines of a name and a text.
using start_report = std::vector<std::pair<std::string, std::string>>;

/// Threads: all members are called by one thread, main's, but hang_up() by any.
class gallery_server {
public:
    /// Opens the store, begins what runs in the background, and listens. Errors, with what was wrong, with
    /// what, and what to do: invalid_argument and permission_denied for configuration, others for what it
    /// refers to.
    static result<std::unique_ptr<gallery_server>> start(config::configuration configuration,
                                                         start_options options);

    [[nodiscard]] const start_report& report() const noexcept;
    /// Of the console, for other machines where it listens for them.
    [[nodiscard]] const std::string& url() const noexcept;

    /// Does what SIGHUP asks for. Returns at once; a thread of its own does the work and logs the outcome.
    void hang_up();

    /// Accepts no more and lets what is under way finish, for at most server.timeouts.drain. False where
    /// something had to be broken off; then the caller ends the process without destroying this.
    bool stop();

    gallery_server(const gallery_server&) = delete;
    gallery_server& operator=(const gallery_server&) = delete;
    /// Precondition: nothing was started, or stop() returned true.
    ~gallery_server();

private:
    class parts;
    static result<void> run_steps(parts& of, const start_options& options);
    explicit gallery_server(std::unique_ptr<parts> all);
    std::unique_ptr<parts> parts_;
};

}  // namespace gallery::app
