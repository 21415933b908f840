// SPDX-License-Identifier: Apache-2.0
#include "http/listener.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace gallery::http {

namespace {

using endpoint = boost::asio::ip::tcp::endpoint;

std::string describe(const endpoint& where) {
    const auto text = where.address().to_string();
    return (where.address().is_v6() ? "[" + text + "]" : text) + ":" + std::to_string(where.port());
}

error bind_error(const endpoint& where, int reason) {
    const auto port = std::to_string(where.port());
    std::string text = "Cannot listen on " + describe(where) + ": " + std::strerror(reason);
    switch (reason) {
        case EADDRINUSE:
            text += "; another process uses port " + port + " (see: ss -ltnp 'sport = :" + port +
                    "'): stop it, or set HTTP_BIND_PORT to a free one";
            break;
        case EACCES:
            text +=
                "; ports below 1024 require root or CAP_NET_BIND_SERVICE: set HTTP_BIND_PORT to a higher one";
            break;
        case EADDRNOTAVAIL:
            text +=
                "; this machine does not have this address: set HTTP_BIND_ADDRESS to one of its addresses, "
                "or to 0.0.0.0";
            break;
        default:
            break;
    }
    return {errc::unavailable, std::move(text)};
}

void set_flag(int descriptor, int level, int name) noexcept {
    const int on = 1;
    ::setsockopt(descriptor, level, name, &on, sizeof on);
}

int open_socket(const endpoint& where, bool shared) noexcept {
    const int made = ::socket(where.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (made < 0) return -1;
    set_flag(made, SOL_SOCKET, SO_REUSEADDR);
    if (shared) set_flag(made, SOL_SOCKET, SO_REUSEPORT);
    if (::bind(made, where.data(), static_cast<socklen_t>(where.size())) == 0) return made;
    const int reason = errno;
    ::close(made);
    errno = reason;
    return -1;
}

std::uint16_t bound_port(int descriptor) noexcept {
    endpoint where;
    auto size = static_cast<socklen_t>(where.capacity());
    if (::getsockname(descriptor, where.data(), &size) != 0) return 0;
    where.resize(size);
    return where.port();
}

}  // namespace

listening_sockets::listening_sockets(listening_sockets&& other) noexcept
    : descriptors(std::exchange(other.descriptors, {})), is_v6(other.is_v6), port(other.port) {}

listening_sockets::~listening_sockets() {
    for (const int descriptor : descriptors) {
        if (descriptor >= 0) ::close(descriptor);
    }
}

int listening_sockets::take(std::size_t index) noexcept {
    return std::exchange(descriptors[index], -1);
}

result<listening_sockets> open_listeners(const server_options& options, std::size_t count) {
    boost::system::error_code failure;
    const auto address = boost::asio::ip::make_address(options.address, failure);
    if (failure) {
        return error{errc::invalid_argument,
                     "'" + options.address +
                         "' is not an IPv4 or IPv6 address to listen on (for example 0.0.0.0, "
                         "127.0.0.1 or ::)"};
    }
    endpoint where(address, options.port);
    listening_sockets opened;
    opened.is_v6 = address.is_v6();
    if (where.port() != 0) {
        // First without sharing, which would hide that another process of the same user listens.
        const int alone = open_socket(where, false);
        if (alone < 0) return bind_error(where, errno);
        ::close(alone);
    }
    for (std::size_t i = 0; i < count; ++i) {
        const int made = open_socket(where, true);
        if (made < 0) return bind_error(where, errno);
        opened.descriptors.push_back(made);
        if (where.port() == 0) where.port(bound_port(made));
        set_flag(made, IPPROTO_TCP, TCP_NODELAY);  // accepted sockets inherit these
        const auto& control = options.congestion_control;
        if (!control.empty() && ::setsockopt(made, IPPROTO_TCP, TCP_CONGESTION, control.data(),
                                             static_cast<socklen_t>(control.size())) != 0) {
            if (i == 0 && options.log) {
                options.log(log_level::warning, "TCP congestion control '" + control +
                                                    "' is not available (" + std::strerror(errno) +
                                                    "); the system's default is used");
            }
        }
        if (::listen(made, options.backlog) != 0) return bind_error(where, errno);
    }
    opened.port = where.port();
    return opened;
}

}  // namespace gallery::http
