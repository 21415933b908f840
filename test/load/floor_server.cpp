// SPDX-License-Identifier: Apache-2.0
// floor_server <port> <bytes of the body> : the least that an answer costs.
//
// One thread and epoll: reads a request without looking at it and sends the same answer each time, with one
// system call each. What a real server costs above this is what it does; below it no server gets that uses
// the same system calls. Driven by floor.py.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

// As long as the gallery's answers.
std::string answer_of(std::size_t size) {
    const std::string etag(64, '0');
    const std::string common = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nETag: \"" + etag +
                               "\"\r\nCache-Control: private, no-cache\r\n";
    if (size == 0) return "HTTP/1.1 304 Not Modified\r\n" + common + "\r\n";
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\nContent-Type: image/png\r\n" +
           common + "\r\n" + std::string(size, 'x');
}

[[noreturn]] void stop(const char* doing) {
    std::perror(doing);
    std::exit(1);
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 3) {
        std::fputs("usage: floor_server PORT BYTES\n", stderr);
        return 64;
    }
    std::signal(SIGPIPE, SIG_IGN);
    const auto answer = answer_of(std::strtoul(arguments[2], nullptr, 10));
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ::setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::strtoul(arguments[1], nullptr, 10)));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) stop("bind");
    if (::listen(listener, 1024) != 0) stop("listen");
    const int poll = ::epoll_create1(0);
    const auto watch = [poll](int descriptor, unsigned events) {
        epoll_event wanted{};
        wanted.events = events;
        wanted.data.fd = descriptor;
        if (::epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &wanted) != 0) stop("epoll_ctl");
    };
    watch(listener, EPOLLIN);
    std::array<epoll_event, 128> ready{};
    std::array<char, 16384> request{};
    for (;;) {
        const int found = ::epoll_wait(poll, ready.data(), static_cast<int>(ready.size()), -1);
        for (int i = 0; i < found; ++i) {
            const int descriptor = ready[static_cast<std::size_t>(i)].data.fd;
            if (descriptor == listener) {
                const int client = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
                if (client >= 0) watch(client, EPOLLIN | EPOLLET | EPOLLRDHUP);
                continue;
            }
            const auto got = ::recv(descriptor, request.data(), request.size(), 0);
            if (got == 0 || (got < 0 && errno != EAGAIN)) ::close(descriptor);
            if (got <= 0) continue;
            if (::send(descriptor, answer.data(), answer.size(), MSG_NOSIGNAL) !=
                static_cast<ssize_t>(answer.size())) {
                stop("an answer did not fit into the socket");
            }
        }
    }
}
