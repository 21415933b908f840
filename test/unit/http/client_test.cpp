// SPDX-License-Identifier: Apache-2.0
// The client of the tools against the server.
#include "boost_test.hpp"
#include "support.hpp"

#include "http/client.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <memory>
#include <string>
#include <thread>

namespace gallery::http::test {

namespace {

using reason = client_failure::reason;

class two_pieces final : public content_stream {
public:
    task<result<bytes>> next() override {
        ++given_;
        co_return bytes::own(given_ == 1 ? "first," : given_ == 2 ? "second" : "");
    }

private:
    int given_ = 0;
};

void routes(router& to) {
    to.add(method::post, "/echo",
           [](request& message) -> task<result<response>> {
               auto content = co_await message.body().read_all(1 << 20);
               auto out = response::text(200, content ? std::move(*content) : std::string("failed"));
               out.add("X-Path", message.path());
               co_return out;
           },
           {.name = "echo", .body_limit = 1 << 20});
    to.add(method::get, "/stream", always([](request&) {
               auto out = response::empty(200);
               out.set_stream(std::make_unique<two_pieces>());
               return out;
           }));
    to.add(method::get, "/last", always([](request&) {
               auto out = response::text(404, "no more");
               out.close_connection();
               return out;
           }));
}

client_options to(std::uint16_t port) {
    return {.host = "127.0.0.1", .port = std::to_string(port), .timeout = std::chrono::seconds(10)};
}

client_request ask(std::string method, std::string target, std::string body = "") {
    return {.method = std::move(method),
            .target = std::move(target),
            .fields = {{"Host", "a"}},
            .body = std::move(body)};
}

/// A server that sends @p text to one client, whatever it asks.
class one_answer {
public:
    explicit one_answer(std::string text) : listening_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in where{};
        where.sin_family = AF_INET;
        where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof where;
        BOOST_REQUIRE(::bind(listening_, reinterpret_cast<const sockaddr*>(&where), size) == 0);
        BOOST_REQUIRE(::listen(listening_, 1) == 0);
        ::getsockname(listening_, reinterpret_cast<sockaddr*>(&where), &size);
        port_ = ntohs(where.sin_port);
        answering_ = std::thread([this, text = std::move(text)] {
            const int accepted = ::accept(listening_, nullptr, nullptr);
            char block[4096];
            (void)!::read(accepted, block, sizeof block);
            (void)!::write(accepted, text.data(), text.size());
            ::close(accepted);
        });
    }
    ~one_answer() {
        answering_.join();
        ::close(listening_);
    }
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

private:
    int listening_;
    std::uint16_t port_ = 0;
    std::thread answering_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(client_of_the_tools)

BOOST_AUTO_TEST_CASE(one_connection_serves_requests_of_every_kind) {
    running_server server(routes);
    http::client c(to(server.port()));
    const std::string large(300'000, 'x');
    for (const auto& body : {std::string(), std::string("hello"), large}) {
        const auto got = c.send(ask("POST", "/echo", body));
        BOOST_REQUIRE(got.has_value());
        BOOST_TEST(got->status == 200U);
        BOOST_TEST((got->body == body));
        BOOST_REQUIRE(got->header("x-path") != nullptr);
        BOOST_TEST(*got->header("x-path") == "/echo");
        BOOST_TEST(got->header("X-Other") == nullptr);
    }
    const auto streamed = c.send(ask("GET", "/stream"));
    BOOST_REQUIRE(streamed.has_value());
    BOOST_TEST(streamed->body == "first,second");
    const auto head = c.send(ask("HEAD", "/last"));
    BOOST_REQUIRE(head.has_value());
    BOOST_TEST(head->status == 404U);
    BOOST_TEST(head->body == "");
    // The server has ended the connection; the next request opens another.
    const auto again = c.send(ask("POST", "/echo", "again"));
    BOOST_REQUIRE(again.has_value());
    BOOST_TEST(again->body == "again");
}

BOOST_AUTO_TEST_CASE(a_failure_says_what_failed) {
    // Bound, so that nobody else gets the port, but not listening.
    const int bound = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof where;
    BOOST_REQUIRE(::bind(bound, reinterpret_cast<const sockaddr*>(&where), size) == 0);
    ::getsockname(bound, reinterpret_cast<sockaddr*>(&where), &size);
    http::client nobody(to(ntohs(where.sin_port)));
    auto got = nobody.send(ask("GET", "/"));
    BOOST_REQUIRE(got.has_error());
    BOOST_TEST(static_cast<int>(got.error().what) == static_cast<int>(reason::not_connected));
    BOOST_TEST(got.error().detail == "Connection refused");
    ::close(bound);

    for (const char* text : {"", "SSH-2.0-x\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"}) {
        const one_answer server(text);
        http::client c(to(server.port()));
        got = c.send(ask("GET", "/"));
        BOOST_REQUIRE_MESSAGE(got.has_error(), text);
        BOOST_TEST(static_cast<int>(got.error().what) == static_cast<int>(reason::answer_broken), text);
    }
    const one_answer until_the_end("HTTP/1.0 200 OK\r\n\r\nall of it");
    http::client c(to(until_the_end.port()));
    got = c.send(ask("GET", "/"));
    BOOST_REQUIRE(got.has_value());
    BOOST_TEST(got->body == "all of it");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::http::test
