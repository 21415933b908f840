// SPDX-License-Identifier: Apache-2.0
#include "http/transport.hpp"

#include "http/gathered_records.hpp"

#include <openssl/err.h>

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <new>
#include <utility>

namespace gallery::http {

namespace {

/// Head and body go into one record where they fit, as one packet would carry them.
constexpr std::size_t tls_record = 16 * 1024;
thread_local std::array<char, tls_record> one_record;

/// What is encrypted before it is sent. More saves little, and a slow reader makes us keep so much.
constexpr std::size_t tls_batch = 4 * tls_record;

int send_flags(bool more) noexcept {
    return MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0);
}

io_outcome plain_outcome(ssize_t moved, io_state blocked) noexcept {
    if (moved > 0) return {io_state::done, static_cast<std::size_t>(moved)};
    if (moved < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return {blocked, 0};
    return {io_state::closed, 0};
}

io_outcome send_bytes(int socket, std::span<const char> what, int flags) noexcept {
    ssize_t sent = 0;
    do {
        sent = ::send(socket, what.data(), what.size(), flags);
    } while (sent < 0 && errno == EINTR);
    return plain_outcome(sent, io_state::want_write);
}

iovec piece_of(std::span<const char> bytes) noexcept {
    return {const_cast<char*>(bytes.data()), bytes.size()};
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
    if (const auto state = send_unsent(); state != io_state::done) return {state, 0};
    ERR_clear_error();
    const auto outcome = tls_outcome(SSL_do_handshake(tls_.get()));
    // The client waits for these, so they come before its next message. Also what says why it is refused.
    const auto sent = send_gathered(false);
    if (outcome.state == io_state::closed || sent == io_state::done) return {outcome.state, 0};
    return {sent, 0};
}

io_outcome transport::read_now(std::span<char> into) noexcept {
    if (tls_) {
        ERR_clear_error();
        const auto outcome = tls_outcome(SSL_read(tls_.get(), into.data(), bounded(into.size())));
        // An alert, or the answer to a change of keys. What is unsent goes with the next write, or with the
        // next of these. A client that causes many and does not read them is not served any further.
        if (!gathered_records().empty() &&
            (send_unsent() == io_state::closed || send_gathered(false) == io_state::closed)) {
            return {};
        }
        if (unsent_.size() - unsent_from_ > 2 * tls_batch) return {};
        return outcome;
    }
    ssize_t moved = 0;
    do {
        moved = ::recv(socket_.native_handle(), into.data(), into.size(), 0);
    } while (moved < 0 && errno == EINTR);
    return plain_outcome(moved, io_state::want_read);
}

std::size_t transport::read_head_now(std::span<char> into, boost::system::error_code& failure) noexcept {
    const auto outcome = read_now(into);
    switch (outcome.state) {
        case io_state::done:
            failure.clear();
            break;
        case io_state::closed:
            failure = asio::error::eof;
            break;
        default:
            failure = asio::error::would_block;
    }
    return outcome.bytes;
}

io_outcome transport::write_now(std::span<const char> first, std::span<const char> second,
                                bool more) noexcept {
    if (tls_) {
        const std::array<iovec, 2> both{piece_of(first), piece_of(second)};
        return write_records(both, more);
    }
    const int flags = send_flags(more);
    if (first.empty() || second.empty()) {
        // One piece costs the kernel less by send() than by sendmsg().
        const auto& only = first.empty() ? second : first;
        return send_bytes(socket_.native_handle(), only, flags);
    }
    const std::array<iovec, 2> pieces{piece_of(first), piece_of(second)};
    return send_pieces(pieces, flags);
}

io_outcome transport::write_now(std::span<const iovec> pieces, bool more) noexcept {
    return tls_ ? write_records(pieces, more) : send_pieces(pieces, send_flags(more));
}

io_outcome transport::write_records(std::span<const iovec> pieces, bool more) noexcept {
    if (const auto state = send_unsent(); state != io_state::done) return {state, 0};
    if (unsent_plain_ > 0) return {io_state::done, std::exchange(unsent_plain_, 0)};
    std::size_t moved = 0;
    io_outcome last;
    while (moved < tls_batch) {
        last = encrypt_record(pieces, moved);
        if (last.state != io_state::done || last.bytes == 0) break;
        moved += last.bytes;
    }
    std::size_t all = 0;
    for (const auto& piece : pieces)
        all += piece.iov_len;
    const auto sent = send_gathered(more || moved < all);
    if (sent == io_state::closed) return {};
    if (moved == 0) return last;
    if (sent == io_state::done) return {io_state::done, moved};
    unsent_plain_ = moved;
    return {sent, 0};
}

io_outcome transport::encrypt_record(std::span<const iovec> pieces, std::size_t skip) noexcept {
    while (!pieces.empty() && skip >= pieces[0].iov_len) {
        skip -= pieces[0].iov_len;
        pieces = pieces.subspan(1);
    }
    if (pieces.empty()) return {io_state::done, 0};
    const char* from = static_cast<const char*>(pieces[0].iov_base) + skip;
    std::size_t size = std::min(pieces[0].iov_len - skip, tls_record);
    if (size < tls_record && pieces.size() > 1) {
        std::memcpy(one_record.data(), from, size);
        for (const auto& piece : pieces.subspan(1)) {
            const auto part = std::min(piece.iov_len, tls_record - size);
            if (part > 0) std::memcpy(one_record.data() + size, piece.iov_base, part);
            size += part;
        }
        from = one_record.data();
    }
    ERR_clear_error();
    return tls_outcome(SSL_write(tls_.get(), from, bounded(size)));
}

io_state transport::send_gathered(bool more) noexcept {
    auto records = gathered_records();
    io_state state = io_state::done;
    if (!records.empty() && unsent_.empty()) {
        const auto moved = send_bytes(socket_.native_handle(), records, send_flags(more));
        state = moved.state;
        records = records.subspan(moved.bytes);
    }
    if (!records.empty() && state != io_state::closed) {
        try {
            unsent_.insert(unsent_.end(), records.begin(), records.end());
            state = io_state::want_write;
        } catch (const std::bad_alloc&) {
            state = io_state::closed;
        }
    }
    clear_gathered_records();
    return state;
}

io_state transport::send_unsent() noexcept {
    while (unsent_from_ < unsent_.size()) {
        const auto rest = std::span<const char>(unsent_).subspan(unsent_from_);
        const auto moved = send_bytes(socket_.native_handle(), rest, send_flags(false));
        if (moved.state != io_state::done) return moved.state;
        unsent_from_ += moved.bytes;
    }
    if (unsent_from_ > 0) {
        unsent_ = {};
        unsent_from_ = 0;
    }
    return io_state::done;
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
        static_cast<void>(send_gathered(false));
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
