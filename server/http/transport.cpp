// SPDX-License-Identifier: Apache-2.0
#include "http/transport.hpp"

#include <openssl/err.h>

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

namespace gallery::http {

namespace {

/// Head and body go into one record where they fit, as one packet would carry them. The same bytes are put
/// together again when a write has to be repeated.
constexpr std::size_t tls_record = 16 * 1024;
thread_local std::array<char, tls_record> one_record;

int send_flags(bool more) noexcept {
    return MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0);
}

io_outcome plain_outcome(ssize_t moved, io_state blocked) noexcept {
    if (moved > 0) return {io_state::done, static_cast<std::size_t>(moved)};
    if (moved < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return {blocked, 0};
    return {io_state::closed, 0};
}

int bounded(std::size_t size) noexcept {
    return static_cast<int>(std::min<std::size_t>(size, INT_MAX));
}

}  // namespace

io_outcome transport::tls_outcome(int returned) noexcept {
    if (returned > 0) return {io_state::done, static_cast<std::size_t>(returned)};
    switch (SSL_get_error(tls_.get(), returned)) {
        case SSL_ERROR_WANT_READ:
            return {io_state::want_read, 0};
        case SSL_ERROR_WANT_WRITE:
            return {io_state::want_write, 0};
        default:
            return {io_state::closed, 0};
    }
}

io_outcome transport::handshake_now() noexcept {
    ERR_clear_error();
    auto outcome = tls_outcome(SSL_do_handshake(tls_.get()));
    outcome.bytes = 0;
    return outcome;
}

io_outcome transport::read_now(std::span<char> into) noexcept {
    if (tls_) {
        ERR_clear_error();
        return tls_outcome(SSL_read(tls_.get(), into.data(), bounded(into.size())));
    }
    ssize_t moved = 0;
    do {
        moved = ::recv(socket_.native_handle(), into.data(), into.size(), 0);
    } while (moved < 0 && errno == EINTR);
    return plain_outcome(moved, io_state::want_read);
}

io_outcome transport::write_now(std::span<const char> first, std::span<const char> second,
                                bool more) noexcept {
    if (tls_) {
        ERR_clear_error();
        if (first.empty()) return tls_outcome(SSL_write(tls_.get(), second.data(), bounded(second.size())));
        const auto head = std::min(first.size(), one_record.size());
        const auto rest = std::min(second.size(), one_record.size() - head);
        std::memcpy(one_record.data(), first.data(), head);
        if (rest > 0) std::memcpy(one_record.data() + head, second.data(), rest);
        return tls_outcome(SSL_write(tls_.get(), one_record.data(), bounded(head + rest)));
    }
    const int flags = send_flags(more);
    if (first.empty() || second.empty()) {
        // One piece costs the kernel less by send() than by sendmsg().
        const auto& only = first.empty() ? second : first;
        ssize_t sent = 0;
        do {
            sent = ::send(socket_.native_handle(), only.data(), only.size(), flags);
        } while (sent < 0 && errno == EINTR);
        return plain_outcome(sent, io_state::want_write);
    }
    const std::array<iovec, 2> pieces{iovec{const_cast<char*>(first.data()), first.size()},
                                      iovec{const_cast<char*>(second.data()), second.size()}};
    return send_pieces(pieces, flags);
}

io_outcome transport::write_now(std::span<const iovec> pieces, bool more) noexcept {
    if (!tls_) return send_pieces(pieces, send_flags(more));
    ERR_clear_error();
    if (pieces.size() == 1) {
        return tls_outcome(SSL_write(tls_.get(), pieces[0].iov_base, bounded(pieces[0].iov_len)));
    }
    std::size_t size = 0;
    for (const auto& piece : pieces) {
        const auto part = std::min(piece.iov_len, one_record.size() - size);
        std::memcpy(one_record.data() + size, piece.iov_base, part);
        size += part;
    }
    return tls_outcome(SSL_write(tls_.get(), one_record.data(), bounded(size)));
}

io_outcome transport::send_pieces(std::span<const iovec> pieces, int flags) noexcept {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(pieces.data());
    message.msg_iovlen = std::min<std::size_t>(pieces.size(), IOV_MAX);
    ssize_t moved = 0;
    do {
        moved = ::sendmsg(socket_.native_handle(), &message, flags);
    } while (moved < 0 && errno == EINTR);
    return plain_outcome(moved, io_state::want_write);
}

io_outcome transport::send_file_now(const file_region& region, std::uint64_t skip) noexcept {
    auto offset = static_cast<off_t>(region.offset + skip);
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(region.size - skip, SSIZE_MAX));
    ssize_t moved = 0;
    do {
        moved = ::sendfile(socket_.native_handle(), region.file->descriptor(), &offset, count);
    } while (moved < 0 && errno == EINTR);
    return plain_outcome(moved, io_state::want_write);
}

void transport::end_writing() noexcept {
    if (tls_ && SSL_is_init_finished(tls_.get())) {
        ERR_clear_error();
        SSL_shutdown(tls_.get());
    }
    ::shutdown(socket_.native_handle(), SHUT_WR);
}

bool transport::discard_now(std::span<char> scratch) noexcept {
    for (int rounds = 0; rounds < 16; ++rounds) {  // a flood must not hold the thread
        const auto moved = ::recv(socket_.native_handle(), scratch.data(), scratch.size(), MSG_DONTWAIT);
        if (moved > 0) continue;
        return moved < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
    }
    return true;
}

}  // namespace gallery::http
