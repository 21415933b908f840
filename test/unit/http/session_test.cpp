// SPDX-License-Identifier: Apache-2.0
#define GALLERY_TEST_MODULE "http"
#include "boost_test.hpp"
#include "support.hpp"

#include "http/address_counts.hpp"
#include "http/errors.hpp"
#include "http/repeated_notes.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace gallery::http::test {

namespace {

void greetings(router& routes) {
    routes.add(method::get, "/hello", always([](request&) { return response::text(200, "hello"); }),
               {.name = "hello"});
    routes.add(method::get, "/name/{name}",
               always([](request& message) { return response::text(200, message.param(0)); }));
    routes.add(method::get, "/unchanged", always([](request&) {
                   auto out = response::empty(304);
                   out.add("ETag", "\"x\"");
                   out.set_content(gallery::bytes::permanent("must not be sent"));
                   return out;
               }));
    routes.add(method::get, "/empty", always([](request&) { return response::empty(204); }));
    routes.add(method::put, "/thing", always([](request&) { return response::empty(200); }));
    routes.add(method::delete_, "/thing", always([](request&) { return response::text(200, "gone"); }));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(session)

BOOST_AUTO_TEST_CASE(a_request_is_answered_and_the_connection_kept) {
    running_server server(greetings);
    client c(server.port());
    for (int i = 0; i < 3; ++i) {
        const auto got = c.ask(get("/hello"));
        BOOST_TEST(got.status == 200U);
        BOOST_TEST(got.reason == "OK");
        BOOST_TEST(got.body == "hello");
        BOOST_TEST(got.header("Content-Type") == "text/plain; charset=utf-8");
        BOOST_TEST(got.header("Date").size() == 29U);
        BOOST_TEST(got.header("Connection") == "");
    }
    BOOST_TEST(server.get().connections() == 1U);
}

BOOST_AUTO_TEST_CASE(an_http_1_0_connection_ends_unless_it_asks_to_stay) {
    running_server server(greetings);
    client once(server.port());
    auto got = once.ask("GET /hello HTTP/1.0\r\n\r\n");
    BOOST_TEST(got.header("Connection") == "close");
    BOOST_TEST(once.at_end());
    client stays(server.port());
    for (int i = 0; i < 2; ++i) {
        got = stays.ask("GET /hello HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
        BOOST_TEST(got.header("Connection") == "keep-alive");
    }
}

BOOST_AUTO_TEST_CASE(a_clients_connection_close_is_respected) {
    running_server server(greetings);
    client c(server.port());
    const auto got = c.ask(get("/hello", "Connection: foo, Close\r\n"));
    BOOST_TEST(got.header("Connection") == "close");
    BOOST_TEST(c.at_end());
}

BOOST_AUTO_TEST_CASE(pipelined_requests_are_answered_in_order) {
    running_server server(greetings);
    client c(server.port());
    std::string all;
    for (int i = 0; i < 500; ++i)
        all += get("/name/" + std::to_string(i));
    c.send(all);
    for (int i = 0; i < 500; ++i) {
        const auto got = c.receive();
        BOOST_REQUIRE(got);
        BOOST_REQUIRE_EQUAL(got->body, std::to_string(i));
    }
}

BOOST_AUTO_TEST_CASE(a_head_may_arrive_in_any_two_pieces) {
    running_server server(greetings);
    client c(server.port());
    const auto text = get("/name/split%20up", "Accept-Encoding: gzip\r\n");
    for (std::size_t at = 1; at < text.size(); ++at) {
        c.send(std::string_view(text).substr(0, at));
        // A second connection's round trip makes sure that the first piece is read alone, mostly.
        if (at % 8 == 0) client(server.port()).ask(get("/hello"));
        const auto got = c.ask(std::string_view(text).substr(at));
        BOOST_REQUIRE_EQUAL(got.status, 200U);
        BOOST_REQUIRE_EQUAL(got.body, "split up");
    }
}

BOOST_AUTO_TEST_CASE(head_and_304_and_204_have_no_body) {
    running_server server(greetings);
    client c(server.port());
    c.send("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    auto got = c.receive(true);
    BOOST_REQUIRE(got);
    BOOST_TEST(got->status == 200U);
    BOOST_TEST(got->header("Content-Length") == "5");
    got = c.ask(get("/unchanged"));
    BOOST_TEST(got->status == 304U);
    BOOST_TEST(got->count("Content-Length") == 0U);
    BOOST_TEST(got->header("ETag") == "\"x\"");
    got = c.ask(get("/empty"));
    BOOST_TEST(got->status == 204U);
    BOOST_TEST(got->count("Content-Length") == 0U);
    BOOST_TEST(c.ask(get("/hello")).body == "hello");
}

BOOST_AUTO_TEST_CASE(wrong_method_unknown_route_and_options_are_answered) {
    running_server server(greetings);
    client c(server.port());
    auto got = c.ask("POST /thing HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    BOOST_TEST(got.status == 405U);
    BOOST_TEST(got.header("Allow") == "PUT, DELETE, OPTIONS");
    got = c.ask("BREW /thing HTTP/1.1\r\nHost: a\r\n\r\n");
    BOOST_TEST(got.status == 405U);
    got = c.ask("OPTIONS /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    BOOST_TEST(got.status == 204U);
    BOOST_TEST(got.header("Allow") == "GET, HEAD, OPTIONS");
    got = c.ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    BOOST_TEST(got.status == 204U);
    got = c.ask(get("/nowhere"));
    BOOST_TEST(got.status == 404U);
    const auto shape = boost::json::parse(got.body).as_object();
    BOOST_TEST(shape.at("status").as_int64() == 404);
    BOOST_TEST(shape.at("errorCode").as_int64() == 32);
    BOOST_TEST(shape.at("timestamp").as_int64() > 1'600'000'000'000);
    got = c.ask(get("/name/%zz"));
    BOOST_TEST(got.status == 400U);
    got = c.ask(get("/name/%ff"));
    BOOST_TEST(got.status == 400U);
    got = c.ask(
        get("/hello", "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAA\r\n"));
    BOOST_TEST(got.status == 200U);
}

BOOST_AUTO_TEST_CASE(what_http_forbids_is_refused_in_the_error_shape_and_the_connection_closed) {
    running_server server(greetings);
    const std::pair<std::string, unsigned> cases[] = {
        {"GET /hello HTTP/1.1\r\n\r\n", 400},
        {"GET /hello HTTP/2.0\r\nHost: a\r\n\r\n", 505},
        {"GET /hello HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
        {"GET /hello HTTP/1.1\nHost: a\n\n", 400},
        {"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET /" + std::string(9000, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(17000, 'x') + "\r\n\r\n", 431},
        {"POST /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc",
         400},
        {"\x16\x03\x01 this is TLS", 400},
    };
    for (const auto& [text, status] : cases) {
        client c(server.port());
        const auto got = c.ask(text);
        BOOST_TEST(got.status == status, text.substr(0, 60));
        BOOST_TEST(got.header("Connection") == "close");
        BOOST_TEST(boost::json::parse(got.body).as_object().at("status").as_int64() == status);
        c.end_writing();
        BOOST_TEST(c.at_end());
    }
    BOOST_TEST(client(server.port()).ask(get("/hello")).status == 200U);
}

BOOST_AUTO_TEST_CASE(equal_refusals_are_logged_once_a_minute_with_their_number) {
    repeated_notes notes;
    const repeated_notes::time_point start{std::chrono::hours(1)};
    BOOST_TEST(notes.admit("busy", start).value() == 0U);
    for (int i = 0; i < 1000; ++i)
        BOOST_TEST(!notes.admit("busy", start + std::chrono::seconds(59)).has_value());
    BOOST_TEST(notes.admit("unavailable", start).value() == 0U);
    BOOST_TEST(notes.admit("busy", start + repeated_notes::period).value() == 1000U);
    BOOST_TEST(!notes.admit("busy", start + repeated_notes::period).has_value());
    for (int i = 0; i < 100; ++i)
        BOOST_TEST(notes.admit("busy " + std::to_string(i), start).value() == 0U);

    running_server server([](router& routes) {
        routes.add(method::get, "/busy", always([](request&) {
                       return error_response({errc::busy, "too much to do"});
                   }));
        routes.add(method::get, "/unknown", always([](request&) {
                       return error_response({errc::unknown_outcome, "nobody knows"});
                   }));
    });
    const auto lines_with = [&](std::string_view text) {
        const auto lines = server.seen().logged();
        return std::count_if(lines.begin(), lines.end(),
                             [&](const auto& line) { return line.find(text) != line.npos; });
    };
    client c(server.port());
    for (int i = 0; i < 3; ++i) {
        BOOST_TEST(c.ask(get("/busy")).status == 503U);
        BOOST_TEST(c.ask(get("/unknown")).status == 503U);
    }
    c.ask(get("/hello"));  // what came before is in the log by now
    BOOST_TEST(lines_with("too much to do") == 1);
    BOOST_TEST(lines_with("nobody knows") == 3);
}

BOOST_AUTO_TEST_CASE(a_client_has_a_limited_number_of_connections) {
    running_server server(greetings,
                          [](server_options& options) { options.limits.connections_per_client = 2; });
    client one(server.port());
    BOOST_TEST(one.ask(get("/hello")).status == 200U);
    {
        client two(server.port());
        BOOST_TEST(two.ask(get("/hello")).status == 200U);
        client three(server.port());
        BOOST_TEST(three.at_end());
        client four(server.port());
        BOOST_TEST(four.at_end());
        BOOST_TEST(server.get().refused_connections() == 2U);
        BOOST_TEST(one.ask(get("/hello")).status == 200U);
        two.send(get("/hello", "Connection: close\r\n"));
        BOOST_TEST(two.read_all().starts_with("HTTP/1.1 200"));
    }
    // The server's end of the connection may be a moment later than the client's.
    std::optional<reply> answer;
    while (!answer) {
        client next(server.port());
        next.send(get("/hello"));
        answer = next.receive();
    }
    BOOST_TEST(answer->status == 200U);
    const std::scoped_lock hold(server.seen().lock);
    const auto refusals =
        std::count_if(server.seen().lines.begin(), server.seen().lines.end(), [](const auto& line) {
            return line.find("Connections of 127.0.0.1 are refused: it has 2 already") != std::string::npos;
        });
    BOOST_TEST(refusals == 1);
}

BOOST_AUTO_TEST_CASE(clients_that_are_exempt_have_any_number_of_connections) {
    running_server server(greetings, [](server_options& options) {
        options.limits.connections_per_client = 1;
        options.exempt = [](const auto& peer) { return peer.to_string() == "127.0.0.1"; };
    });
    client one(server.port());
    client two(server.port());
    BOOST_TEST(one.ask(get("/hello")).status == 200U);
    BOOST_TEST(two.ask(get("/hello")).status == 200U);
    BOOST_TEST(server.get().refused_connections() == 0U);
}

BOOST_AUTO_TEST_CASE(addresses_of_one_network_count_as_one_client) {
    const auto key = [](const char* text) {
        return address_counts::key_of(boost::asio::ip::make_address(text));
    };
    BOOST_TEST((key("2001:db8:1:2::1") == key("2001:db8:1:2:ffff::7")));
    BOOST_TEST((key("2001:db8:1:2::1") != key("2001:db8:1:3::1")));
    BOOST_TEST((key("10.0.0.1") == key("::ffff:10.0.0.1")));
    BOOST_TEST((key("10.0.0.1") != key("10.0.0.2")));
}

BOOST_AUTO_TEST_CASE(a_handler_that_throws_costs_a_500_without_detail_and_a_log_line) {
    running_server server([](router& routes) {
        routes.add(method::get, "/throws",
                   always([](request&) -> response { throw std::runtime_error("secret"); }));
        routes.add(method::get, "/later", [](request&) -> task<result<response>> {
            co_await asio::post(use_task);
            throw 42;
        });
        routes.add(method::get, "/hot", always([](request&) { return response::empty(200); }));
        routes.add_hot(method::get, "/hot",
                       [](request&, response&) -> bool { throw std::runtime_error("hot secret"); });
        routes.add(method::get, "/injects/{what}", always([](request& message) {
                       auto out = response::empty(200);
                       out.add("X-Name", message.param(0));
                       return out;
                   }));
    });
    client c(server.port());
    for (const char* path :
         {"/throws?token=sesame", "/later", "/hot", "/injects/a%0D%0ASet-Cookie:%20x=1", "/injects/%00"}) {
        const auto got = c.ask(get(path));
        BOOST_TEST(got.status == 500U, path);
        BOOST_TEST(got.body.find("secret") == std::string::npos);
        BOOST_TEST(got.count("Set-Cookie") == 0U);
    }
    BOOST_TEST(c.ask(get("/injects/fine")).header("X-Name") == "fine");
    const auto lines = server.seen().logged();
    BOOST_REQUIRE_EQUAL(lines.size(), 5U);
    BOOST_TEST(lines[0].find("GET /throws -> 500") != std::string::npos);
    BOOST_TEST(lines[0].find("secret") != std::string::npos);
    BOOST_TEST(lines[0].find("sesame") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_hot_try_answers_first_and_leaves_the_rest_to_the_handler) {
    running_server server([](router& routes) {
        routes.add(method::get, "/a/{id}", always([](request& message) {
                       const auto& left = message.attachment();
                       return response::text(200,
                                             left ? *static_cast<const std::string*>(left.get()) : "none");
                   }),
                   {.name = "a"});
        routes.add_hot(method::get, "/a/{id}", [](request& message, response& out) {
            message.attachment() = std::make_shared<const std::string>("left by the hot try");
            if (message.param(0) != "hot") return false;
            out.set_status(304);
            return true;
        });
    });
    client c(server.port());
    BOOST_TEST(c.ask(get("/a/hot")).status == 304U);
    BOOST_TEST(c.ask(get("/a/cold")).body == "left by the hot try");
    server.get().drain(std::chrono::seconds(5));
    const auto seen = server.seen().observed();
    BOOST_REQUIRE_EQUAL(seen.size(), 2U);
    BOOST_TEST(seen[0].hot);
    BOOST_TEST(seen[0].route == "a");
    BOOST_TEST(seen[0].status == 304U);
    BOOST_TEST(!seen[1].hot);
    BOOST_TEST(seen[1].complete);
    BOOST_TEST(seen[1].bytes_out > 19U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::http::test
