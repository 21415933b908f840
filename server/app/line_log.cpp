// SPDX-License-Identifier: Apache-2.0
#include "app/line_log.hpp"

#include "plugins/per_thread.hpp"

#include <pthread.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace gallery::app {

namespace {

/// How often the same trouble is logged.
constexpr std::chrono::minutes between_complaints{1};

std::uint64_t count_lines(std::string_view text) noexcept {
    return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

void line_log::buffer::append(std::string_view line) noexcept {
    const bool fits = ring_.append(line);
    plugins::add_alone(fits ? appended_ : refused_, 1);
    // The writer comes by itself in time, except in a burst.
    if (ring_.used() > owner_.options_.buffer_bytes / 2) owner_.hurry();
}

line_log::line_log(std::string_view name, std::unique_ptr<line_sink> sink, log_function log,
                   line_log_options options)
    : name_(name), sink_(std::move(sink)), log_(std::move(log)), options_(options) {
    writer_ = std::thread([this] { run(); });
}

line_log::~line_log() {
    {
        const lock_guard lock(mutex_);
        ending_ = true;
    }
    wake_.notify_one();
    writer_.join();
}

line_log::buffer& line_log::add_buffer() {
    auto made = std::make_unique<buffer>(*this, options_.buffer_bytes);
    const lock_guard lock(mutex_);
    return *buffers_.emplace_back(std::move(made));
}

// Without the mutex, so that no request waits for it. A call that comes just before the writer waits is seen
// by the writer one interval later.
void line_log::hurry() noexcept {
    if (hurried_.load(std::memory_order_relaxed)) return;
    hurried_.store(true, std::memory_order_relaxed);
    wake_.notify_one();
}

void line_log::reopen() noexcept {
    {
        const lock_guard lock(mutex_);
        reopening_ = true;
    }
    wake_.notify_one();
}

bool line_log::flush(std::chrono::milliseconds at_most) {
    const auto deadline = clock::now() + at_most;
    const lock_guard lock(mutex_);
    const auto mine = ++flushes_asked_;
    wake_.notify_one();
    while (flushes_done_ < mine) {
        if (finished_.wait_until(mutex_, deadline) == std::cv_status::timeout) return flushes_done_ >= mine;
    }
    return true;
}

line_log::figures line_log::read() const {
    figures sum;
    const lock_guard lock(mutex_);
    sum.unwritten = unwritten_.load(std::memory_order_relaxed);
    for (const auto& each : buffers_) {
        sum.written += each->appended_.load(std::memory_order_relaxed);
        sum.refused += each->refused_.load(std::memory_order_relaxed);
    }
    sum.written -= std::min(sum.written, sum.unwritten);
    return sum;
}

void line_log::run() {
    ::pthread_setname_np(::pthread_self(), "line-log");
    for (;;) {
        const auto now = wait_for_round();
        if (now.reopens) reopen_sink();
        write_waiting();
        note_refused();
        finish(now);
        if (now.ends) return;
    }
}

line_log::round line_log::wait_for_round() {
    const auto until = clock::now() + options_.interval;
    const lock_guard lock(mutex_);
    while (!ending_ && !reopening_ && flushes_asked_ == flushes_done_ &&
           !hurried_.load(std::memory_order_relaxed)) {
        if (wake_.wait_until(mutex_, until) == std::cv_status::timeout) break;
    }
    hurried_.store(false, std::memory_order_relaxed);
    return {std::exchange(reopening_, false), ending_, flushes_asked_};
}

void line_log::finish(const round& done) {
    {
        const lock_guard lock(mutex_);
        flushes_done_ = done.flushes;
    }
    finished_.notify_all();
}

void line_log::reopen_sink() {
    if (const auto reopened = sink_->reopen(); !reopened) {
        say(log_level::error, reopened.error().message + "; the file that was open is still used");
    } else {
        say(log_level::info, name_ + " was reopened");
    }
}

void line_log::write_waiting() {
    round_buffers_.clear();
    {
        const lock_guard lock(mutex_);
        for (const auto& each : buffers_)
            round_buffers_.push_back(each.get());
    }
    for (auto* const each : round_buffers_) {
        const auto lines = each->ring_.waiting();
        if (lines.size() == 0) continue;
        const auto done = sink_->write(lines.first, lines.second);
        if (done.reason != 0) {
            const auto of_first = std::min(done.written, lines.first.size());
            const auto lost = count_lines(lines.first.substr(of_first)) +
                              count_lines(lines.second.substr(done.written - of_first));
            unwritten_.fetch_add(lost, std::memory_order_relaxed);
        }
        each->ring_.consume(lines.size());
        note_outcome(done.reason);
        // A reader that does not read gets one chance in a round.
        if (done.reason == ETIMEDOUT) return;
    }
}

// A full disk fails every round; it is logged when it begins, and when it has ended.
void line_log::note_outcome(int reason) {
    if (reason == 0) {
        if (std::exchange(has_failed_, false) && std::exchange(said_so_, false))
            say(log_level::info, name_ + " is written again");
        return;
    }
    has_failed_ = true;
    const auto now = clock::now();
    if (said_so_ || now < next_complaint_) return;
    said_so_ = true;
    next_complaint_ = now + between_complaints;
    say(log_level::error, name_ + " cannot be written: " + std::strerror(reason) +
                              ". Its lines are lost and counted until it can be written again");
}

void line_log::note_refused() {
    const auto now = clock::now();
    if (now < next_note_) return;
    const auto refused = read().refused;
    if (refused == refused_before_) return;
    say(log_level::warning, name_ + " lost " + std::to_string(refused - refused_before_) +
                                " lines, because it is not written fast enough");
    refused_before_ = refused;
    next_note_ = now + between_complaints;
}

void line_log::say(log_level level, const std::string& text) const noexcept {
    if (!log_) return;
    try {
        log_(level, text);
    } catch (...) {  // a log that fails must not take the server with it
    }
}

}  // namespace gallery::app
