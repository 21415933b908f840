// SPDX-License-Identifier: Apache-2.0
/// One connection of the generator.
#pragma once

#include "http/client_tls.hpp"
#include "http/tcp_socket.hpp"
#include "load/requests.hpp"
#include "load/response_reader.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace gallery::load {

namespace asio = boost::asio;

class connection;

/// Who uses the connections. Calls come from handlers of the io_context, never from within send() or open().
class connection_user {
public:
    /// It is connected and idle.
    virtual void on_open(connection& on) = 0;
    /// The answer is complete: connection::reader. The connection is idle, or opens again by itself;
    /// see is_idle().
    virtual void on_answer(connection& on) = 0;
    /// There is no answer, or there was no connection. The connection is closed. @p had_request: one was
    /// under way.
    virtual void on_broken(connection& on, bool had_request, const std::string& why) = 0;

protected:
    ~connection_user() = default;
};

/// Where all connections of a run go.
struct target {
    asio::ip::tcp::endpoint endpoint;
    std::string host;        ///< in the server's certificate
    SSL_CTX* tls = nullptr;  ///< null: plain HTTP
};

/// Used on the thread of its io_context only. Neither copied nor moved.
///
/// A request costs a send, a part of an epoll_wait, and a receive: the socket waits without trying to read
/// before (http::tcp_socket), and an answer that is complete ends the reading. Bytes are read into memory
/// that all connections of the thread share.
class connection final : private http::head_source {
public:
    /// @p where and @p user must outlive it.
    connection(asio::io_context& context, const target& where, connection_user& user);

    /// Connects. Precondition: it is closed.
    void open();
    /// Sends out() and reads the answer. Precondition: is_idle().
    void send(const sent_request& about);
    /// Ends a request without its answer; on_broken() is not called. Open it again when is_closed().
    void close() noexcept;

    [[nodiscard]] bool is_idle() const noexcept { return state_ == state::idle; }
    [[nodiscard]] bool is_busy() const noexcept { return state_ == state::busy; }
    /// And no handler refers to it any more.
    [[nodiscard]] bool is_closed() const noexcept { return state_ == state::closed && handlers_ == 0; }

    /// The text of the next request.
    [[nodiscard]] std::string& out() noexcept { return out_; }
    [[nodiscard]] const sent_request& request() const noexcept { return request_; }
    [[nodiscard]] const response_reader& answer() const noexcept { return reader_; }
    /// Of the body, where sent_request::is_hashed.
    [[nodiscard]] std::optional<sha256_digest> hash() noexcept;

private:
    enum class state : std::uint8_t { closed, opening, idle, busy };

    std::size_t read_head_now(std::span<char> into, boost::system::error_code& failure) noexcept override;
    // What is behind an answer is a fault of the server, and is found with the next bytes.
    [[nodiscard]] bool holds_bytes() const noexcept override { return false; }

    void shake_hands();
    void become_idle();
    void wait_for_answer();
    void on_read(const boost::system::error_code& failure);
    void continue_sending();
    void break_off(const std::string& why);
    std::size_t read_some(std::span<char> into, boost::system::error_code& failure) noexcept;
    /// 0 where it must wait.
    std::size_t write_some(std::string_view bytes, boost::system::error_code& failure) noexcept;

    struct tls_deleter {
        void operator()(SSL* p) const noexcept { SSL_free(p); }
    };

    const target& where_;
    connection_user& user_;
    http::tcp_socket socket_;
    std::unique_ptr<SSL, tls_deleter> tls_;
    state state_ = state::closed;
    unsigned handlers_ = 0;
    std::size_t sent_ = 0;  ///< of out_
    std::string out_;
    sent_request request_;
    response_reader reader_;
    std::optional<sha256_hasher> hasher_;
    std::array<char, 8> signal_{};  ///< from read_head_now() to the socket
};

}  // namespace gallery::load
