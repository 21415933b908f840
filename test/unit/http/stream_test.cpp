// SPDX-License-Identifier: Apache-2.0
// Bodies that are made while they are sent.
#include "boost_test.hpp"
#include "support.hpp"

#include <boost/asio/post.hpp>

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

namespace gallery::http::test {

namespace {

std::atomic<int> alive{0};

class pieces final : public content_stream {
public:
    enum class end { good, error, exception };
    pieces(std::vector<std::string> texts, end how) : texts_(std::move(texts)), how_(how) { ++alive; }
    ~pieces() override { --alive; }

    task<result<gallery::bytes>> next() override {
        // As one that has to wait for something.
        co_await asio::post(co_await asio::this_coro::executor, use_task);
        if (at_ < texts_.size()) co_return gallery::bytes::own(texts_[at_++]);
        if (how_ == end::error) co_return error{errc::io_error, "broken on purpose"};
        if (how_ == end::exception) throw std::runtime_error("thrown on purpose");
        co_return gallery::bytes();
    }

private:
    std::vector<std::string> texts_;
    end how_;
    std::size_t at_ = 0;
};

void streams(router& routes) {
    const auto add = [&](std::string_view path, std::vector<std::string> texts, pieces::end how) {
        routes.add(method::get, path, always([texts, how](request&) {
                       auto answer = response::json_text(200, {});
                       answer.set_stream(std::make_unique<pieces>(texts, how));
                       return answer;
                   }),
                   {.name = "stream"});
    };
    add("/three", {"one,", std::string(300'000, 'x'), ",three"}, pieces::end::good);
    add("/nothing", {}, pieces::end::good);
    add("/error", {"some"}, pieces::end::error);
    add("/exception", {"some"}, pieces::end::exception);
    routes.add(method::get, "/hello", always([](request&) { return response::text(200, "hello"); }));
}

const std::string three = "one," + std::string(300'000, 'x') + ",three";

std::string read_until(client& peer, std::string_view last) {
    std::string got;
    while (got.find(last) == got.npos) {
        const auto more = peer.read_some();
        if (more.empty()) break;
        got += more;
    }
    return got;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(streams_of_content)

BOOST_AUTO_TEST_CASE(pieces_are_chunks_and_the_connection_goes_on) {
    running_server server(streams);
    client peer(server.port());
    peer.send(get("/three") + get("/nothing") + get("/hello"));
    const auto raw = read_until(peer, "hello");
    BOOST_TEST(raw.find("Transfer-Encoding: chunked\r\n") != raw.npos);
    BOOST_TEST(raw.find("\r\n\r\n4\r\none,\r\n493e0\r\nxxx") != raw.npos);
    BOOST_TEST(raw.find("xxx\r\n6\r\n,three\r\n0\r\n\r\nHTTP/1.1 200 OK") != raw.npos);
    BOOST_TEST(raw.find("\r\n\r\n0\r\n\r\nHTTP/1.1 200 OK") != raw.npos);
    BOOST_TEST(alive == 0);
}

BOOST_AUTO_TEST_CASE(a_head_of_it_has_no_body) {
    running_server server(streams);
    client peer(server.port());
    peer.send("HEAD /three HTTP/1.1\r\nHost: a\r\n\r\n" + get("/hello"));
    const auto raw = read_until(peer, "hello");
    BOOST_TEST(raw.find("one,") == raw.npos);
    BOOST_TEST(alive == 0);
}

BOOST_AUTO_TEST_CASE(to_http_1_0_it_is_sent_up_to_the_end_of_the_connection) {
    running_server server(streams);
    client peer(server.port());
    peer.send("GET /three HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const auto raw = peer.read_all();
    BOOST_TEST(raw.find("Transfer-Encoding") == raw.npos);
    BOOST_TEST(raw.find("Content-Length") == raw.npos);
    BOOST_TEST(raw.find("Connection: close") != raw.npos);
    BOOST_TEST((raw.substr(raw.find("\r\n\r\n") + 4) == three));
}

BOOST_AUTO_TEST_CASE(one_that_fails_has_no_end_and_is_logged) {
    for (const auto* path : {"/error", "/exception"}) {
        running_server server(streams);
        client peer(server.port());
        peer.send(get(path));
        const auto raw = peer.read_all();
        BOOST_TEST(raw.ends_with("4\r\nsome\r\n"), path);
        BOOST_TEST(alive == 0);
        bool logged = false;
        for (const auto& line : server.seen().logged())
            logged = logged || line.find("on purpose") != line.npos;
        BOOST_TEST(logged, path);
    }
}

BOOST_AUTO_TEST_CASE(a_client_that_goes_away_ends_it) {
    {
        running_server server(streams);
        client peer(server.port(), 4096);
        peer.send(get("/three"));
        (void)read_until(peer, "one,");
    }
    BOOST_TEST(alive == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::http::test
