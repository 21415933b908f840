// SPDX-License-Identifier: Apache-2.0
#include "load/engine.hpp"

#include <algorithm>
#include <ctime>
#include <utility>

#include <csignal>

namespace gallery::load {

namespace {

using namespace std::chrono_literals;

/// Requests whose times are nearer than this are sent by one wake-up. It bounds the wake-ups at high rates,
/// and adds at most this to a latency.
constexpr run_time shortest_sleep = 50'000;
constexpr auto between_housekeeping = 10ms;
constexpr run_time a_second = 1'000'000'000;
/// So that a server's queue of connections does not overflow.
constexpr std::size_t opened_at_a_time = 64;
constexpr std::size_t most_faults = 50;
constexpr std::size_t most_waiting = 2'000'000;

double cpu_of_thread() noexcept {
    timespec spent{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
    return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) / 1e9;
}

}  // namespace

engine::engine(const scenario& plan, catalogue& content, const admin::address& address, const target& where,
               engine_options options)
    : plan_(plan),
      end_(plan.duration().count()),
      timeout_(plan.timeout.count()),
      options_(std::move(options)),
      pump_timer_(context_),
      housekeeping_timer_(context_),
      signals_(context_),
      schedule_(plan, options_.seed),
      writer_(plan, content, address, options_.seed),
      statistics_(plan.warm_up.count()),
      idle_(plan.connections) {
    connection_user& user = *this;
    connections_.reserve(plan.connections);
    for (std::size_t i = 0; i < plan.connections; ++i)
        connections_.push_back(std::make_unique<connection>(context_, where, user));
}

engine::~engine() {
    // Handlers that wait refer to the connections: their ends are run before those are freed.
    stop();
    context_.restart();
    context_.run();
}

run_time engine::now() const noexcept {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(clock::now() - begun_).count();
}

admin::outcome<engine_report> engine::run() {
    signals_.add(SIGINT);
    signals_.add(SIGTERM);
    signals_.async_wait([this](const boost::system::error_code& failed, int /*signal*/) {
        if (failed) return;
        report_.is_interrupted = true;
        if (is_running_)
            is_over_ = true;
        else
            stop();
    });
    for (std::size_t i = 0; i < std::min(opened_at_a_time, connections_.size()); ++i)
        open_another();
    context_.run();
    if (!connect_failure_.empty()) {
        return admin::failure{admin::exit_code::unreachable, "connection " +
                                                                 std::to_string(report_.opened + 1) + " of " +
                                                                 std::to_string(connections_.size()) +
                                                                 " cannot be opened: " + connect_failure_};
    }
    report_.totals = statistics_.totals();
    report_.rows = statistics_.rows();
    return report_;
}

void engine::open_another() {
    if (opened_at_begin_ < connections_.size()) connections_[opened_at_begin_++]->open();
}

void engine::begin() {
    is_running_ = true;
    begun_ = clock::now();
    cpu_at_begin_ = cpu_of_thread();
    pump();
    housekeeping();
}

void engine::on_open(connection& on) {
    ++report_.opened;
    if (is_running_) {
        serve_backlog(on);
        return;
    }
    idle_.push(&on);
    if (idle_.size() == connections_.size())
        begin();
    else
        open_another();
}

void engine::pump() {
    const auto time = now();
    if (is_over_) return;
    schedule_.take_due(std::min(time, end_), [&](const planned_request& one) {
        statistics_.intend();
        submit(one, time);
    });
    const auto next = schedule_.next_time();
    if (!next || *next > end_) {
        is_over_ = true;
        return;
    }
    pump_timer_.expires_at(begun_ + std::chrono::nanoseconds(std::max(*next, now() + shortest_sleep)));
    pump_timer_.async_wait([this](const boost::system::error_code& failed) {
        if (!failed) pump();
    });
}

void engine::submit(const planned_request& wanted, run_time time) {
    if (!idle_.empty()) {
        // Those that were idle longest first: all connections are used.
        auto* const on = idle_.pop();
        report_.lag.record(static_cast<std::uint64_t>(time - wanted.intended) / 1000);
        start(*on, wanted, time);
    } else if (backlog_.size() < most_waiting) {
        backlog_.push_back(wanted);
    } else {
        statistics_.record(wanted.what, verdict::timeout, wanted.intended, -1, wanted.intended + timeout_, 0,
                           0);
        fault("not sent: more than " + std::to_string(most_waiting) + " requests waited for a connection");
    }
}

void engine::start(connection& on, const planned_request& wanted, run_time time) {
    auto about = writer_.write(wanted, on.out());
    about.sent = time;
    ++busy_;
    ++report_.requests;
    on.send(about);
}

void engine::serve_backlog(connection& on) {
    const auto time = now();
    while (!backlog_.empty()) {
        const auto wanted = backlog_.front();
        backlog_.pop_front();
        if (time - wanted.intended < timeout_) {
            start(on, wanted, time);
            return;
        }
        statistics_.record(wanted.what, verdict::timeout, wanted.intended, -1, time, 0, 0);
        fault("timeout before a connection was free");
    }
    idle_.push(&on);
}

void engine::settle(const sent_request& asked, verdict how, std::uint64_t received,
                    std::uint64_t sent_bytes) {
    --busy_;
    statistics_.record(asked.plan.what, how, asked.plan.intended, asked.sent, now(), received, sent_bytes);
}

void engine::fault(const std::string& what) {
    if (report_.faults.size() < most_faults || report_.faults.contains(what)) ++report_.faults[what];
}

void engine::on_answer(connection& on) {
    const auto& asked = on.request();
    const auto& answer = on.answer();
    const auto how = writer_.judge(asked, answer, on.hash());
    if (how != verdict::good) {
        auto what = std::string(name_of(asked.plan.what)) + ": ";
        if (how == verdict::status)
            what += "HTTP " + std::to_string(answer.status());
        else if (how == verdict::stale)
            what += "stale: older than a replacement that was acknowledged before";
        else
            what += "wrong: bytes or an ETag that do not belong to the image";
        fault(what);
    }
    settle(asked, how, answer.received(), on.out().size());
    if (on.is_idle())
        serve_backlog(on);
    else
        reopen(on);
}

void engine::on_broken(connection& on, bool had_request, const std::string& why) {
    if (had_request) {
        const auto& asked = on.request();
        writer_.lost(asked);
        fault(std::string(name_of(asked.plan.what)) + ": " + why);
        settle(asked, verdict::broken, on.answer().received(), on.out().size());
    } else {
        idle_.remove(&on);
    }
    if (is_stopped_) return;
    if (!is_running_) {
        connect_failure_ = why;
        stop();
        return;
    }
    // Not at once: a server that refuses connections would be asked in a loop.
    to_open_.push_back(&on);
}

void engine::reopen(connection& one) {
    if (one.is_closed())
        one.open();
    else
        to_open_.push_back(&one);
}

void engine::check_timeouts(run_time time) {
    for (const auto& one : connections_) {
        if (!one->is_busy() || time - one->request().plan.intended < timeout_) continue;
        const auto asked = one->request();
        const auto received = one->answer().received();
        one->close();
        writer_.lost(asked);
        fault(std::string(name_of(asked.plan.what)) + ": timeout");
        settle(asked, verdict::timeout, received, one->out().size());
        to_open_.push_back(one.get());
    }
    while (!backlog_.empty() && time - backlog_.front().intended >= timeout_) {
        const auto wanted = backlog_.front();
        backlog_.pop_front();
        statistics_.record(wanted.what, verdict::timeout, wanted.intended, -1, time, 0, 0);
        fault("timeout before a connection was free");
    }
}

void engine::housekeeping() {
    const auto time = now();
    auto opening = std::exchange(to_open_, {});
    for (auto* const one : opening)
        reopen(*one);
    check_timeouts(time);
    while (time >= (seconds_ + 1) * a_second) {
        statistics_.end_second(seconds_++, backlog_.size());
        if (options_.on_second) options_.on_second(statistics_.rows().back());
    }
    if (is_over_ && busy_ == 0 && backlog_.empty()) {
        statistics_.end(std::min(time, end_));
        statistics_.end_second(seconds_, 0);
        report_.cpu_seconds = cpu_of_thread() - cpu_at_begin_;
        report_.wall_seconds = static_cast<double>(time) / 1e9;
        stop();
        return;
    }
    housekeeping_timer_.expires_after(between_housekeeping);
    housekeeping_timer_.async_wait([this](const boost::system::error_code& failed) {
        if (!failed) housekeeping();
    });
}

void engine::stop() {
    if (is_stopped_) return;
    is_stopped_ = true;
    boost::system::error_code ignored;
    signals_.cancel(ignored);
    pump_timer_.cancel();
    housekeeping_timer_.cancel();
    for (const auto& one : connections_)
        one->close();
}

}  // namespace gallery::load
