// SPDX-License-Identifier: Apache-2.0
/// Bytes over a connected socket that does not block, plain or through TLS.
#pragma once

#include "http/read_now.hpp"
#include "http/tcp_socket.hpp"
#include "http/tls.hpp"

#include <gallery/bytes.hpp>

#include <sys/uio.h>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace gallery::http {

enum class io_state : std::uint8_t {
    done,        ///< `bytes` were moved, at least one
    want_read,   ///< wait until the socket is readable, then do the same again
    want_write,  ///< wait until it is writable, then do the same again
    closed       ///< the peer ended or broke the connection
};

struct io_outcome {
    io_state state = io_state::closed;
    std::size_t bytes = 0;
};

/// Nothing here blocks or waits; the session does the waiting. TLS runs on the socket itself rather than
/// through asio::ssl::stream, so that both kinds share one way of reading and writing (at once, waiting only
/// when the kernel's buffer is empty or full) and an idle TLS connection holds no buffers. A request in one
/// record costs one read; an answer costs one write for each 64 KiB.
/// Threads: the I/O thread of the socket.
class transport final : public head_source {
public:
    explicit transport(tcp_socket socket) noexcept : socket_(std::move(socket)) {}

    [[nodiscard]] tcp_socket& socket() noexcept { return socket_; }
    [[nodiscard]] bool is_secure() const noexcept { return tls_ != nullptr; }
    void secure(tls_connection tls) noexcept { tls_ = std::move(tls); }
    [[nodiscard]] bool holds_bytes() const noexcept override {
        return tls_ && SSL_has_pending(tls_.get()) == 1;
    }
    /// read_now() for Asio.
    std::size_t read_head_now(std::span<char> into, boost::system::error_code& failure) noexcept override;

    /// done with 0 bytes when the handshake is complete.
    io_outcome handshake_now() noexcept;
    io_outcome read_now(std::span<char> into) noexcept;
    /// Both pieces in order, as far as they go now. @p more: further bytes follow at once. After want_* it
    /// must be called again with the same bytes in front.
    io_outcome write_now(std::span<const char> first, std::span<const char> second, bool more) noexcept;
    /// The same for any number of pieces, at least one.
    io_outcome write_now(std::span<const iovec> pieces, bool more) noexcept;
    /// Precondition: not secure. @p skip bytes of the region have been sent before.
    io_outcome send_file_now(const file_region& region, std::uint64_t skip) noexcept;
    /// Ends our direction; the peer sees an orderly end.
    void end_writing() noexcept;
    /// Throws away what has arrived, below TLS. False when the peer has ended too.
    bool discard_now(std::span<char> scratch) noexcept;

private:
    io_outcome tls_outcome(int returned) noexcept;
    io_outcome write_records(std::span<const iovec> pieces, bool more) noexcept;
    /// Encrypts the next record of @p pieces, of which @p skip bytes are encrypted. 0 bytes: none is left.
    io_outcome encrypt_record(std::span<const iovec> pieces, std::size_t skip) noexcept;
    /// Sends what OpenSSL has written, after what is unsent; keeps what the kernel does not take.
    io_state send_gathered(bool more) noexcept;
    io_state send_unsent() noexcept;
    io_outcome send_pieces(std::span<const iovec> pieces, int flags) noexcept;
    tcp_socket socket_;
    tls_connection tls_;
    std::vector<char> unsent_;  ///< encrypted; from unsent_from_ on
    std::size_t unsent_from_ = 0;
    std::size_t unsent_plain_ = 0;  ///< bytes of the caller that are encrypted, and not reported as written
};

}  // namespace gallery::http
