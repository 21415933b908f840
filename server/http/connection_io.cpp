// SPDX-License-Identifier: Apache-2.0
// The parts of a connection that wait: bodies, the handshake, slow readers, the end.
#include "http/connection.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace gallery::http {

task<bool> connection::handshake() {
    phase_ = phase::head;
    arm(home_.core().options.timeouts.header);
    for (;;) {
        const auto outcome = transport_.handshake_now();
        if (outcome.state == io_state::closed) co_return false;
        if (outcome.state == io_state::done) break;
        const auto kind =
            outcome.state == io_state::want_read ? tcp_socket::wait_read : tcp_socket::wait_write;
        const auto [failure] = co_await socket().async_wait(kind, plain_result);
        if (failure || expired_ || shed_) co_return false;
    }
    phase_ = phase::resting;
    co_return true;
}

task<bool> connection::wait_for(io_state blocked) {
    phase_ = phase::writing;
    arm(home_.core().options.timeouts.write);
    const auto kind = blocked == io_state::want_read ? tcp_socket::wait_read : tcp_socket::wait_write;
    const auto [failure] = co_await socket().async_wait(kind, plain_result);
    disarm();
    phase_ = phase::busy;
    co_return !failure && !expired_ && !shed_;
}

task<std::size_t> connection::read(std::span<char> into) {
    if (!is_secure()) {
        const auto [failure, bytes] =
            co_await socket().async_read_some(asio::mutable_buffer(into.data(), into.size()), plain_result);
        co_return failure ? 0 : bytes;
    }
    for (;;) {
        const auto outcome = transport_.read_now(into);
        if (outcome.state == io_state::done) co_return outcome.bytes;
        if (outcome.state == io_state::closed) co_return 0;
        const auto kind =
            outcome.state == io_state::want_read ? tcp_socket::wait_read : tcp_socket::wait_write;
        const auto [failure] = co_await socket().async_wait(kind, plain_result);
        if (failure || expired_ || shed_) co_return 0;
    }
}

task<> connection::linger() {
    transport_.end_writing();
    phase_ = phase::closing;
    arm(home_.core().options.timeouts.linger);
    while (!shed_ && !expired_) {
        const auto [failure] = co_await socket().async_wait(tcp_socket::wait_read, plain_result);
        if (failure || !transport_.discard_now({work_->buffer.get(), work_->capacity})) break;
    }
}

// Bodies.

std::optional<std::uint64_t> connection::content_length() const noexcept {
    const auto& frame = work_->frame;
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
    return {errc::invalid_argument, "The connection ended before the request's body did"};
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
    const auto& allowed = home_.core().options.timeouts;
    const auto began = home_.wheel().now();
    phase_ = phase::body;
    arm(std::chrono::seconds(body_allowance_));
    const auto bytes = co_await read(into);
    disarm();
    phase_ = phase::busy;
    const auto waited = static_cast<std::uint32_t>(home_.wheel().now() - began);
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
    if (w.body_ended) co_return std::span<const char>();
    if (w.body_broken) co_return body_failure(false);
    if (std::exchange(w.continue_owed, false) && w.unused() == 0 && !co_await send_continue()) {
        co_return body_failure(false);
    }
    for (;;) {
        const auto outcome = w.parser.next(w.body_input());
        w.consume_body_input(outcome.consumed);
        switch (outcome.what) {
            case request_parser::step::broken:
                co_return body_failure(true);
            case request_parser::step::end:
                w.body_ended = true;
                co_return std::span<const char>();
            case request_parser::step::data:
                w.body_read += outcome.data.size();
                w.body_ended = w.frame.body == framing::kind::length && w.parser.bytes_left() == 0;
                co_return outcome.data;
            case request_parser::step::need_more:
                break;
        }
        if (w.body_input().size() > request_parser::longest_line) co_return body_failure(true);
        if (!co_await fill_body_input()) co_return body_failure(false);
    }
}

// Reads more of the body behind what the parser could not use yet. False when the client sends no more.
task<bool> connection::fill_body_input() {
    // So much fits into the read buffer, should it belong to the next request.
    constexpr std::size_t at_once = 16 * 1024;
    auto& w = *work_;
    const auto left = w.body_input();
    if (!w.block) w.block = home_.take_block();
    if (!left.empty()) std::memmove(w.block.get(), left.data(), left.size());
    if (w.block_end == w.block_begin) w.begin += left.size();
    w.block_begin = 0;
    w.block_end = left.size();
    const auto wanted = w.frame.body == framing::kind::length
                            ? std::min<std::uint64_t>(body_block, w.parser.bytes_left())
                            : at_once;
    const std::span<char> room(w.block.get() + left.size(), static_cast<std::size_t>(wanted));
    const auto bytes = co_await read_body(room);
    w.block_end += bytes;
    co_return bytes > 0;
}

task<bool> connection::drain_body() {
    for (;;) {
        auto piece = co_await read_some();
        if (!piece) co_return false;
        if (piece->empty()) co_return true;
    }
}

}  // namespace gallery::http
