// SPDX-License-Identifier: Apache-2.0
// The parts of a connection that wait: the handshake, slow readers, the end.
#include "http/connection.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace gallery::http {

task<bool> connection::handshake() {
    phase_ = phase::head;
    arm(thread_.rules().timeouts.header);
    for (;;) {
        const auto outcome = transport_.handshake_now();
        if (outcome.state == io_state::closed) co_return false;
        if (outcome.state == io_state::done) break;
        const auto kind =
            outcome.state == io_state::want_read ? tcp_socket::wait_read : tcp_socket::wait_write;
        const auto [failure] = co_await socket().async_wait(kind, plain_result);
        if (failure || expired_ || is_ending_) co_return false;
    }
    phase_ = phase::without_buffer;
    co_return true;
}

/// A client that takes a response slowly holds its memory for that long. Only waiting counts against it.
task<bool> connection::wait_for(io_state blocked) {
    auto& w = *work_;
    const auto& allowed = thread_.rules().timeouts;
    const auto seconds = (w.bytes_out - w.bytes_credited) / allowed.write_bytes_per_second;
    w.bytes_credited += seconds * allowed.write_bytes_per_second;
    w.write_allowance = static_cast<std::uint32_t>(
        std::min(w.write_allowance + seconds, static_cast<std::uint64_t>(allowed.write.count())));
    const auto began = thread_.wheel().now();
    phase_ = phase::writing;
    arm(std::chrono::seconds(w.write_allowance));
    const auto kind = blocked == io_state::want_read ? tcp_socket::wait_read : tcp_socket::wait_write;
    const auto [failure] = co_await socket().async_wait(kind, plain_result);
    disarm();
    phase_ = phase::busy;
    const auto waited = static_cast<std::uint32_t>(thread_.wheel().now() - began);
    w.write_allowance -= std::min(waited, w.write_allowance);
    co_return !failure && !expired_ && !is_ending_;
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
        if (failure || expired_ || is_ending_) co_return 0;
    }
}

task<> connection::linger() {
    transport_.end_writing();
    phase_ = phase::closing;
    arm(thread_.rules().timeouts.linger);
    while (!is_ending_ && !expired_) {
        const auto [failure] = co_await socket().async_wait(tcp_socket::wait_read, plain_result);
        if (failure || !transport_.discard_now(work_->input.scratch())) break;
    }
}

}  // namespace gallery::http
