// SPDX-License-Identifier: Apache-2.0
#include "http/tcp_socket.hpp"

#include <boost/asio/error.hpp>

#include <sys/socket.h>
#include <cerrno>
#include <string_view>

namespace gallery::http {

asio::detail::reactor_op::status tcp_socket::reading::perform_now(asio::detail::reactor_op* base) noexcept {
    auto& self = *static_cast<reading*>(base);
    ssize_t moved = 0;
    do {
        moved = ::recv(self.socket_, self.into_.data(), self.into_.size(), MSG_DONTWAIT);
    } while (moved < 0 && errno == EINTR);
    if (moved > 0) {
        self.bytes_transferred_ = static_cast<std::size_t>(moved);
        const std::string_view got(self.into_.data(), self.bytes_transferred_);
        return self.trust_ && got.size() < self.into_.size() && got.ends_with("\r\n\r\n") ? done_and_exhausted
                                                                                          : done;
    }
    if (moved < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return not_done;
    self.ec_ = moved == 0 ? boost::system::error_code(asio::error::eof)
                          : boost::system::error_code(errno, boost::system::system_category());
    return moved == 0 ? done_and_exhausted : done;
}

}  // namespace gallery::http
