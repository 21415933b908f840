// SPDX-License-Identifier: Apache-2.0
/// The measured loop: sends each request of the schedule at its time, on a free connection.
///
/// If all connections are busy, the request waits in the backlog. Its latency counts from its intended time,
/// so the wait is part of it. A request that is not answered within the scenario's timeout after its intended
/// time has failed. All of it runs on one thread and does not allocate for a request, apart from the queues
/// when they grow, uploads, and hashed answers.
#pragma once

#include "admin/failure.hpp"
#include "load/catalogue.hpp"
#include "load/connection.hpp"
#include "load/requests.hpp"
#include "load/ring.hpp"
#include "load/schedule.hpp"
#include "load/statistics.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gallery::load {

struct engine_options {
    std::uint64_t seed = 1;
    /// After each second, with the row of it. May be empty.
    std::function<void(const second_row&)> on_second;
};

struct engine_report {
    run_totals totals;
    std::vector<second_row> rows;
    std::map<std::string, std::uint64_t> faults;  ///< how often which: "GET ... 503", "timeout"
    histogram lag;                                ///< how late the generator itself was, microseconds
    double cpu_seconds = 0;                       ///< of the generator's thread
    double wall_seconds = 0;                      ///< from the first request to the end
    std::uint64_t requests = 0;                   ///< sent, those of the warm-up included
    std::uint64_t opened = 0;                     ///< connections
    bool is_interrupted = false;                  ///< by SIGINT or SIGTERM
    [[nodiscard]] double cpu_share() const noexcept {
        return wall_seconds > 0 ? cpu_seconds / wall_seconds : 0;
    }
};

/// Used once, by one thread.
class engine final : private connection_user {
public:
    /// All must outlive it. @p content is changed by the requests.
    engine(const scenario& plan, catalogue& content, const admin::address& address, const target& where,
           engine_options options);
    ~engine();

    /// Connects, runs the scenario to its end, and waits for the last answers. Failure: unreachable, if not
    /// all connections could be opened.
    admin::outcome<engine_report> run();

private:
    void on_open(connection& on) override;
    void on_answer(connection& on) override;
    void on_broken(connection& on, bool had_request, const std::string& why) override;

    void open_another();
    void begin();
    void pump();
    void housekeeping();
    void check_timeouts(run_time now);
    void submit(const planned_request& wanted, run_time now);
    void start(connection& on, const planned_request& wanted, run_time now);
    void serve_backlog(connection& on);
    void settle(const sent_request& asked, verdict how, std::uint64_t received, std::uint64_t sent_bytes);
    void fault(const std::string& what);
    void reopen(connection& one);
    void stop();
    [[nodiscard]] run_time now() const noexcept;

    using clock = std::chrono::steady_clock;

    const scenario& plan_;
    const run_time end_;
    const run_time timeout_;
    engine_options options_;
    asio::io_context context_{1};
    asio::steady_timer pump_timer_;
    asio::steady_timer housekeeping_timer_;
    asio::signal_set signals_;
    schedule schedule_;
    request_writer writer_;
    statistics statistics_;
    std::vector<std::unique_ptr<connection>> connections_;
    ring<connection*> idle_;
    std::deque<planned_request> backlog_;
    std::vector<connection*> to_open_;
    std::size_t opened_at_begin_ = 0;
    std::size_t busy_ = 0;
    bool is_running_ = false;
    bool is_stopped_ = false;
    bool is_over_ = false;  ///< no more requests are begun
    clock::time_point begun_;
    std::uint32_t seconds_ = 0;
    double cpu_at_begin_ = 0;
    std::string connect_failure_;
    engine_report report_;
};

}  // namespace gallery::load
