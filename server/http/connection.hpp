// SPDX-License-Identifier: Apache-2.0
/// One client's connection: the steps of the session (session.cpp).
#pragma once

#include "http/io_thread.hpp"
#include "http/transport.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace gallery::http {

/// Completion token for the session's waits: no exception and no coroutine frame of its own.
inline constexpr auto plain_result = asio::as_tuple(asio::deferred);

/// Owned by its session's coroutine; its I/O thread only. At most one wait is outstanding at any time, and
/// the wheel's deadline ends it by cancelling the socket's operation.
class connection final : public timer_wheel::node, public body_source {
public:
    connection(io_thread& thread, tcp_socket socket, const asio::ip::tcp::endpoint& peer, tls_connection tls,
               address_counts::place place);
    ~connection() override;
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    [[nodiscard]] tcp_socket& socket() noexcept { return transport_.socket(); }
    [[nodiscard]] bool is_secure() const noexcept { return transport_.is_secure(); }
    /// Of TLS: the socket does not become readable because of them.
    [[nodiscard]] bool holds_bytes() const noexcept { return transport_.holds_bytes(); }
    /// Null for the socket itself.
    [[nodiscard]] head_source* source_of_heads() noexcept { return is_secure() ? &transport_ : nullptr; }

    // Reading heads.

    /// True if no bytes were read ahead and the read buffer should be returned while the connection waits.
    [[nodiscard]] bool should_release_buffer() const noexcept;
    /// Returns the buffer to its pool and starts the keep-alive timeout.
    void release_buffer() noexcept;
    /// After release_buffer() and a wait. False if the connection must end.
    bool take_buffer(bool failed);
    /// Parses the bytes read so far. Starts the timeout of the head if it is incomplete.
    head_status take_head() noexcept;
    /// The destination of the next read, at least one byte.
    [[nodiscard]] std::span<char> read_room() noexcept;
    /// Whether a request was answered before, so that the client probably sends more.
    [[nodiscard]] bool has_answered() const noexcept { return answered_; }
    /// Takes over the result of a read. False if the connection must end.
    bool on_read(bool failed, std::size_t bytes) noexcept;

    // The exchange.

    /// Validates, routes, tries what answers at once. True when there is an answer.
    bool begin_exchange();
    /// The route's handler.
    task<> run_handler();
    /// Decides whether another request may follow, and composes the response's head.
    void begin_response();
    /// Sends what goes now.
    io_state write_step();
    /// Whether write_stream() sends the body, after the head.
    [[nodiscard]] bool is_streaming() const noexcept { return answer().is_streamed(); }
    /// Makes and sends a body piece by piece; done or closed.
    task<io_state> write_stream();
    /// Tells the observer and forgets the exchange. True when another may follow.
    bool end_exchange(bool complete);
    /// True if an unread body must be read before the next request.
    [[nodiscard]] bool owes_drain() const noexcept;

    // Waiting, for everything but the hot path.

    task<bool> handshake();
    /// Reads the rest of the body and drops it; false when that failed.
    task<bool> drain_body();
    /// Waits for the event @p blocked; false if the deadline passed or the connection broke.
    task<bool> wait_for(io_state blocked);
    /// Reads at least a byte, TLS or not; 0 bytes: the connection ended or the deadline passed.
    task<std::size_t> read(std::span<char> into);
    /// Says no more and listens until the client has seen it (RFC 9112, 9.6).
    task<> linger();

    // body_source
    [[nodiscard]] std::optional<std::uint64_t> content_length() const noexcept override;
    task<result<std::span<const char>>> read_some() override;

    // Deadlines.
    void arm(std::chrono::seconds in) noexcept;
    void disarm() noexcept { thread_.wheel().disarm(*this); }
    /// The wheel's call.
    void deadline_passed() noexcept;
    /// Closes it unless a request has arrived.
    void close_if_idle() noexcept;
    /// Closes it, and aborts its request.
    void abort() noexcept;
    [[nodiscard]] bool lingers() const noexcept { return lingers_; }

private:
    friend class io_thread;
    enum class phase : std::uint8_t { without_buffer, idle, head, busy, body, writing, closing };

    [[nodiscard]] request& message() const noexcept { return work_->exchange.message(); }
    [[nodiscard]] response& answer() const noexcept { return work_->exchange.answer(); }
    void begin_idle() noexcept;
    void judge_peer();
    void begin_body() noexcept;
    [[nodiscard]] bool has_bare_head() const noexcept;
    void begin_message();
    void compose_head();
    io_state write_message();
    io_state write_prepared() noexcept;
    bool fill_piece() noexcept;
    task<std::size_t> read_body(std::span<char> into);
    task<bool> send_continue();
    error body_failure(bool malformed);

    io_thread& thread_;
    const address_counts::place place_;
    transport transport_;
    std::unique_ptr<workspace> work_;
    connection* previous_ = nullptr;  // in the thread's list
    connection* next_ = nullptr;
    std::array<char, 46> remote_{};
    std::uint8_t remote_size_ = 0;
    bool from_proxy_ = false;      // the peer is a trusted one
    std::uint64_t judged_by_ = 0;  // the rules that said so, by their number
    phase phase_ = phase::without_buffer;
    bool expired_ = false;              // a deadline ended the wait
    bool is_ending_ = false;            // the server closes it
    bool keep_alive_ = true;            // another request may follow the current one
    bool lingers_ = false;              // the client may still be sending
    bool is_quiet_ = false;             // no bytes arrived for idle_time
    bool answered_ = false;             // a request
    std::uint32_t body_allowance_ = 0;  // seconds that the client may still keep us waiting for its body
    std::uint32_t body_credit_ = 0;     // bytes not yet worth a second
};

/// Serves the connection's requests until it ends.
task<> serve(std::unique_ptr<connection> client);

}  // namespace gallery::http
