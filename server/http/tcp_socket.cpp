// SPDX-License-Identifier: Apache-2.0
#include "http/tcp_socket.hpp"

#include "http/read_now.hpp"

#include <sys/socket.h>
#include <cerrno>
#include <string_view>

namespace gallery::http {

std::size_t read_now(int socket, std::span<char> into, boost::system::error_code& failure) noexcept {
    ssize_t moved = 0;
    do {
        moved = ::recv(socket, into.data(), into.size(), MSG_DONTWAIT);
    } while (moved < 0 && errno == EINTR);
    if (moved > 0) {
        failure.clear();
        return static_cast<std::size_t>(moved);
    }
    if (moved == 0) {
        failure = asio::error::eof;
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        failure = asio::error::would_block;
    } else {
        failure.assign(errno, boost::system::system_category());
    }
    return 0;
}

#if GALLERY_REACTOR_READ

asio::detail::reactor_op::status reactor_socket::reading::perform_now(
    asio::detail::reactor_op* base) noexcept {
    auto& self = *static_cast<reading*>(base);
    auto* const source = self.source_;
    self.bytes_transferred_ = source != nullptr ? source->read_head_now(self.into_, self.ec_)
                                                : read_now(self.socket_, self.into_, self.ec_);
    if (self.bytes_transferred_ > 0) {
        const std::string_view got(self.into_.data(), self.bytes_transferred_);
        const bool is_all = got.size() < self.into_.size() && got.ends_with("\r\n\r\n") &&
                            (source == nullptr || !source->holds_bytes());
        return self.trust_ && is_all ? done_and_exhausted : done;
    }
    if (self.ec_ == asio::error::would_block) {
        self.ec_.clear();
        return not_done;
    }
    return self.ec_ == asio::error::eof ? done_and_exhausted : done;
}

#endif

}  // namespace gallery::http
