// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include "boost_test.hpp"
#include "http/head_parser.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace gallery::http::test {

parsed_request::parsed_request(std::string_view lines, std::string_view start)
    : text_(std::string(start) + "\r\nHost: a\r\n" + std::string(lines) + "\r\n") {
    const auto outcome = parse_head(text_, {}, message_->mutable_head());
    BOOST_REQUIRE_MESSAGE(outcome.status == head_status::complete, "the test's own head parses: " << text_);
}

std::vector<std::string> records::logged() {
    const std::scoped_lock hold(lock);
    return lines;
}

std::vector<records::seen> records::observed() {
    const std::scoped_lock hold(lock);
    return exchanges;
}

running_server::running_server(const setup& routes, const tweak& change, const std::string& ticket_secret) {
    auto table = std::make_shared<router>();
    routes(*table);
    server_options options;
    options.address = "127.0.0.1";
    options.port = 0;
    options.io_threads = 1;
    options.log = [records = records_](log_level, std::string_view text) {
        const std::scoped_lock hold(records->lock);
        records->lines.emplace_back(text);
    };
    options.observe = [records = records_](const finished_exchange& told) {
        const std::scoped_lock hold(records->lock);
        records->exchanges.push_back({std::string(told.target), std::string(told.route), told.status,
                                      told.bytes_in, told.bytes_out, told.hot, told.complete});
    };
    if (change) change(options);
    auto made = server::create(std::move(options));
    BOOST_REQUIRE_MESSAGE(made, (made ? "" : made.error().message));
    server_ = std::move(*made);
    if (!ticket_secret.empty()) server_->share_session_tickets(ticket_secret);
    const auto listening = server_->listen(std::move(table));
    BOOST_REQUIRE_MESSAGE(listening, (listening ? "" : listening.error().message));
}

std::string reply::header(std::string_view name) const {
    for (const auto& [key, value] : fields) {
        if (equals_ignoring_case(key, name)) return value;
    }
    return {};
}

std::size_t reply::count(std::string_view name) const {
    std::size_t found = 0;
    for (const auto& [key, value] : fields)
        found += equals_ignoring_case(key, name) ? 1U : 0U;
    return found;
}

client::client(std::uint16_t port, int receive_buffer)
    : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{10, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (receive_buffer != 0) {
        ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    const int on = 1;
    ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) {
        throw std::runtime_error(std::string("connect: ") + std::strerror(errno));
    }
}

client::~client() {
    ::close(descriptor_);
}

void client::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) throw std::runtime_error(std::string("send: ") + std::strerror(errno));
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

std::size_t client::send_some(std::string_view bytes) {
    const auto sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent < 0 ? 0 : static_cast<std::size_t>(sent);
}

bool client::fill() {
    char block[65536];
    const auto got = ::recv(descriptor_, block, sizeof block, 0);
    if (got < 0 && errno == EINTR) return fill();
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) throw std::runtime_error("nothing came");
    if (got <= 0) return false;
    buffer_.append(block, static_cast<std::size_t>(got));
    return true;
}

std::string client::read_some(std::size_t most) {
    if (!buffer_.empty()) return std::exchange(buffer_, {});
    std::string block(most, '\0');
    const auto got = ::recv(descriptor_, block.data(), block.size(), 0);
    block.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return block;
}

std::string client::read_all() {
    while (fill()) {
    }
    return std::exchange(buffer_, {});
}

bool client::at_end() {
    return buffer_.empty() && !fill();
}

void client::end_writing() {
    ::shutdown(descriptor_, SHUT_WR);
}

std::optional<reply> client::receive(bool to_head) {
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
        if (!fill()) return std::nullopt;
    }
    reply out;
    const std::string head = buffer_.substr(0, end + 2);
    buffer_.erase(0, end + 4);
    std::size_t line_begin = head.find("\r\n") + 2;
    // No assertion of Boost.Test, which knows only one thread: several clients may be at work.
    if (line_begin < 14) throw std::runtime_error("no status line: " + head);
    out.status = static_cast<unsigned>(std::stoul(head.substr(9, 3)));
    out.reason = head.substr(13, line_begin - 15);
    while (line_begin < head.size()) {
        const auto line_end = head.find("\r\n", line_begin);
        const auto colon = head.find(": ", line_begin);
        out.fields.emplace_back(head.substr(line_begin, colon - line_begin),
                                head.substr(colon + 2, line_end - colon - 2));
        line_begin = line_end + 2;
    }
    if (to_head || out.status < 200 || out.status == 204 || out.status == 304) return out;
    const auto size = std::stoul(out.header("Content-Length"));
    while (buffer_.size() < size) {
        if (!fill()) return std::nullopt;
    }
    out.body = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return out;
}

reply client::ask(std::string_view bytes) {
    send(bytes);
    auto got = receive();
    BOOST_REQUIRE_MESSAGE(got, "a reply to " << bytes.substr(0, 200));
    return *got;
}

std::string get(std::string_view path, std::string_view lines) {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n";
}

}  // namespace gallery::http::test
