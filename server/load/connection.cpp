// SPDX-License-Identifier: Apache-2.0
#include "load/connection.hpp"

#include <openssl/err.h>

#include <boost/asio/error.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <cerrno>
#include <cstring>

namespace gallery::load {

namespace {

/// Of the thread. One connection reads at a time, and nothing stays in it.
std::span<char> shared_buffer() noexcept {
    static thread_local std::array<char, 128 * 1024> buffer;
    return buffer;
}

constexpr std::string_view complete = "\r\n\r\n";

}  // namespace

connection::connection(asio::io_context& context, const target& where, connection_user& user)
    : where_(where), user_(user), socket_(context.get_executor()) {}

void connection::open() {
    state_ = state::opening;
    boost::system::error_code failure;
    socket_.open(where_.endpoint.protocol(), failure);
    if (!failure) socket_.non_blocking(true, failure);
    ++handlers_;
    // A failure is reported from a handler, too.
    socket_.async_connect(where_.endpoint, [this](const boost::system::error_code& failed) {
        --handlers_;
        if (state_ != state::opening) return;
        if (failed) {
            break_off(failed.message());
            return;
        }
        int yes = 1;
        ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        if (where_.tls == nullptr) {
            become_idle();
            return;
        }
        tls_.reset(SSL_new(where_.tls));
        if (!tls_ || !http::expect_host(tls_.get(), where_.host) ||
            SSL_set_fd(tls_.get(), socket_.native_handle()) != 1) {
            break_off("OpenSSL does not accept the connection");
            return;
        }
        SSL_set_mode(tls_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        // A record's head and its body by one system call.
        SSL_set_read_ahead(tls_.get(), 1);
        SSL_set_connect_state(tls_.get());
        shake_hands();
    });
}

void connection::shake_hands() {
    ERR_clear_error();
    const int done = SSL_do_handshake(tls_.get());
    if (done == 1) {
        become_idle();
        return;
    }
    const int wanted = SSL_get_error(tls_.get(), done);
    if (wanted != SSL_ERROR_WANT_READ && wanted != SSL_ERROR_WANT_WRITE) {
        const auto verified = SSL_get_verify_result(tls_.get());
        const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
        break_off(verified != X509_V_OK ? X509_verify_cert_error_string(verified)
                  : reason != nullptr   ? reason
                                        : "the server ended the handshake");
        return;
    }
    ++handlers_;
    socket_.async_wait(
        wanted == SSL_ERROR_WANT_READ ? http::tcp_socket::wait_read : http::tcp_socket::wait_write,
        [this](const boost::system::error_code& failed) {
            --handlers_;
            if (state_ != state::opening) return;
            if (failed)
                break_off(failed.message());
            else
                shake_hands();
        });
}

void connection::become_idle() {
    state_ = state::idle;
    wait_for_answer();
    user_.on_open(*this);
}

void connection::wait_for_answer() {
    ++handlers_;
    socket_.async_read_head(signal_, true, this,
                            [this](const boost::system::error_code& failure, std::size_t /*bytes*/) {
                                --handlers_;
                                on_read(failure);
                            });
}

void connection::send(const sent_request& about) {
    state_ = state::busy;
    request_ = about;
    if (about.is_hashed) hasher_.emplace();
    const bool keeps_body = is_write(about.plan.what) || about.plan.what == operation::info;
    reader_.begin(keeps_body, about.is_hashed ? &*hasher_ : nullptr);
    sent_ = 0;
    continue_sending();
}

void connection::continue_sending() {
    boost::system::error_code failure;
    while (sent_ < out_.size()) {
        const auto moved = write_some(std::string_view(out_).substr(sent_), failure);
        sent_ += moved;
        // A connection that the server has closed is noticed by the read that waits.
        if (failure) return;
        if (moved > 0) continue;
        ++handlers_;
        socket_.async_wait(http::tcp_socket::wait_write, [this](const boost::system::error_code& failed) {
            --handlers_;
            if (!failed && state_ == state::busy) continue_sending();
        });
        return;
    }
}

std::size_t connection::write_some(std::string_view bytes, boost::system::error_code& failure) noexcept {
    if (tls_) {
        // OpenSSL requires that a repeated call has the same or more bytes, at any address.
        ERR_clear_error();
        std::size_t moved = 0;
        if (SSL_write_ex(tls_.get(), bytes.data(), bytes.size(), &moved) == 1) return moved;
        const int wanted = SSL_get_error(tls_.get(), 0);
        if (wanted != SSL_ERROR_WANT_WRITE && wanted != SSL_ERROR_WANT_READ)
            failure = asio::error::connection_reset;
        return 0;
    }
    for (;;) {
        const auto moved =
            ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (moved >= 0) return static_cast<std::size_t>(moved);
        if (errno == EINTR) continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK) failure.assign(errno, boost::system::system_category());
        return 0;
    }
}

std::size_t connection::read_some(std::span<char> into, boost::system::error_code& failure) noexcept {
    if (!tls_) return http::read_now(socket_.native_handle(), into, failure);
    ERR_clear_error();
    std::size_t moved = 0;
    if (SSL_read_ex(tls_.get(), into.data(), into.size(), &moved) == 1) {
        failure.clear();
        return moved;
    }
    const int wanted = SSL_get_error(tls_.get(), 0);
    if (wanted == SSL_ERROR_WANT_READ || wanted == SSL_ERROR_WANT_WRITE)
        failure = asio::error::would_block;
    else if (wanted == SSL_ERROR_ZERO_RETURN)
        failure = asio::error::eof;
    else
        failure = asio::error::connection_reset;
    return 0;
}

// The socket sees only whether the answer is complete. If it is, this stands for all that has arrived, and
// the socket does not try to read again before it is told that more has.
std::size_t connection::read_head_now(std::span<char> into, boost::system::error_code& failure) noexcept {
    const auto buffer = shared_buffer();
    for (;;) {
        const auto got = read_some(buffer, failure);
        if (got == 0) {
            if (failure != asio::error::eof || state_ != state::busy ||
                reader_.end() != response_reader::state::done)
                return 0;
        } else if (state_ != state::busy ||
                   reader_.feed({buffer.data(), got}) == response_reader::state::malformed) {
            failure = asio::error::invalid_argument;
            return 0;
        }
        if (reader_.now() != response_reader::state::done) continue;
        failure.clear();
        std::memcpy(into.data(), complete.data(), complete.size());
        return complete.size();
    }
}

void connection::on_read(const boost::system::error_code& failure) {
    if (state_ != state::idle && state_ != state::busy) return;  // closed
    if (failure || state_ == state::idle) {
        break_off(failure == asio::error::eof                ? "the server closed the connection"
                  : failure == asio::error::invalid_argument ? "the answer is not HTTP"
                                                             : failure.message());
        return;
    }
    if (reader_.keeps_connection() && sent_ == out_.size()) {
        state_ = state::idle;
        wait_for_answer();
    } else {
        close();
    }
    user_.on_answer(*this);
}

void connection::break_off(const std::string& why) {
    const bool had_request = state_ == state::busy;
    close();
    user_.on_broken(*this, had_request, why);
}

void connection::close() noexcept {
    state_ = state::closed;
    tls_.reset();
    boost::system::error_code ignored;
    socket_.close(ignored);
}

std::optional<sha256_digest> connection::hash() noexcept {
    if (!request_.is_hashed) return std::nullopt;
    return hasher_->finish();
}

}  // namespace gallery::load
