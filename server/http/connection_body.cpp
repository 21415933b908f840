// SPDX-License-Identifier: Apache-2.0
// The body of a request, read while a handler asks for it.
#include "http/connection.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace gallery::http {

void connection::begin_body() noexcept {
    auto& w = *work_;
    w.continue_owed = w.input.frame().expects_continue && !w.input.body_ended();
    w.body_broken = w.body_timed_out = false;
    body_allowance_ = static_cast<std::uint32_t>(thread_.rules().timeouts.body.count());
    body_credit_ = 0;
}

std::optional<std::uint64_t> connection::content_length() const noexcept {
    const auto& frame = work_->input.frame();
    if (frame.body == framing::kind::chunked) return std::nullopt;
    return frame.length;
}

error connection::body_failure(bool malformed) {
    auto& w = *work_;
    w.body_broken = true;
    if (malformed) return {errc::invalid_argument, "The request's body is not in the chunked coding"};
    if (expired_) {
        expired_ = false;
        w.body_timed_out = true;
        return {errc::unavailable, "The request's body did not arrive in time"};
    }
    return {errc::invalid_argument, "The connection was closed before the end of the request's body"};
}

task<bool> connection::send_continue() {
    constexpr std::string_view text = "HTTP/1.1 100 Continue\r\n\r\n";
    std::span<const char> rest(text);
    while (!rest.empty()) {
        const auto outcome = transport_.write_now(rest, {}, false);
        if (outcome.state == io_state::closed) co_return false;
        if (outcome.state == io_state::done) {
            rest = rest.subspan(outcome.bytes);
        } else if (!co_await wait_for(outcome.state)) {
            co_return false;
        }
    }
    co_return true;
}

// Only waiting for the client counts against it, not what a handler does between two reads.
task<std::size_t> connection::read_body(std::span<char> into) {
    const auto allowed = thread_.rules().timeouts;  // two reloads later, the rules may be gone
    const auto began = thread_.wheel().now();
    phase_ = phase::body;
    arm(std::chrono::seconds(body_allowance_));
    const auto bytes = co_await read(into);
    disarm();
    // The deadline may have passed while the bytes were arriving; it is over for this read.
    if (bytes > 0) expired_ = false;
    phase_ = phase::busy;
    const auto waited = static_cast<std::uint32_t>(thread_.wheel().now() - began);
    body_allowance_ -= std::min(waited, body_allowance_);
    const auto rate = static_cast<std::uint32_t>(std::max<std::uint64_t>(allowed.body_bytes_per_second, 1));
    body_credit_ += static_cast<std::uint32_t>(bytes);
    body_allowance_ =
        std::min(body_allowance_ + body_credit_ / rate, static_cast<std::uint32_t>(allowed.body.count()));
    body_credit_ %= rate;
    co_return bytes;
}

task<result<std::span<const char>>> connection::read_some() {
    auto& w = *work_;
    if (w.input.body_ended()) co_return std::span<const char>();
    if (w.body_broken) co_return body_failure(false);
    if (std::exchange(w.continue_owed, false) && w.input.unused() == 0 && !co_await send_continue()) {
        abort();  // nothing may follow a part of that message
        co_return body_failure(false);
    }
    for (;;) {
        const auto next = w.input.next_of_body();
        if (next.what == request_parser::step::broken) co_return body_failure(true);
        if (next.what != request_parser::step::need_more) co_return next.data;
        if (!w.input.has_block()) w.input.lend(thread_.take_block());
        const auto bytes = co_await read_body(w.input.body_room());
        if (bytes == 0) co_return body_failure(false);
        w.input.add_to_body(bytes);
    }
}

task<bool> connection::drain_body() {
    for (;;) {
        auto piece = co_await read_some();
        if (!piece) co_return false;
        if (piece->empty()) co_return true;
    }
}

}  // namespace gallery::http
