// SPDX-License-Identifier: Apache-2.0
// New rules for a server that serves connections.
#include "support.hpp"

#include "boost_test.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace gallery::http::test {

namespace {

/// Requests to /api/sent whose handler has begun.
std::atomic<int> sent_begun{0};

/// Routes that say which ones they are. The handler of /sent reads its body first.
std::shared_ptr<router> routes_named(const std::string& name) {
    auto table = std::make_shared<router>();
    table->add(method::get, "/api/name", always([name](request&) { return response::text(200, name); }),
               {.name = "name"});
    table->add(method::post, "/api/sent",
               [name](request& message) -> task<result<response>> {
                   ++sent_begun;
                   auto content = co_await message.body().read_all(1000);
                   if (!content) co_return content.error();
                   co_return response::text(200, name + " " + *content);
               },
               {.name = "sent", .body_limit = name == "first" ? 10U : 20U});
    table->add(method::get, "/api/who", always([](request& message) {
                   return response::text(200, std::string(message.remote_address()));
               }));
    return table;
}

server_options options_for(const std::string& origin) {
    server_options options;
    options.cross_origin.origins = origin_pattern::parse_list(origin).value();
    return options;
}

std::string post(std::size_t size, const std::string& content) {
    return "POST /api/sent HTTP/1.1\r\nHost: a\r\nOrigin: https://a.example\r\nContent-Length: " +
           std::to_string(size) + "\r\n\r\n" + content;
}

void fill_first(router& routes) {
    routes = std::move(*routes_named("first"));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rules)

BOOST_AUTO_TEST_CASE(a_request_keeps_the_rules_that_it_began_with_and_the_next_one_has_the_new_ones) {
    running_server server(fill_first, [](server_options& options) {
        options.cross_origin = options_for("https://a.example").cross_origin;
    });
    client c(server.port());
    BOOST_TEST(c.ask(get("/api/name")).body == "first");
    auto former = routes_named("second");
    std::weak_ptr<const router> alive = former;
    server.get().apply(options_for("https://a.example"), std::move(former));
    sent_begun = 0;
    c.send(post(6, "abc"));
    while (sent_begun == 0)
        std::this_thread::yield();
    server.get().apply(options_for("https://b.example"), routes_named("third"));
    BOOST_TEST(!alive.expired());
    c.send("def");
    const auto got = c.receive().value();
    BOOST_TEST(got.body == "second abcdef");
    BOOST_TEST(got.header("Access-Control-Allow-Origin") == "https://a.example");
    BOOST_TEST(c.ask(get("/api/name", "Origin: https://b.example\r\n")).body == "third");
    BOOST_TEST(alive.expired());
    const auto refused = c.ask(post(3, "abc"));
    BOOST_TEST(refused.body == "third abc");
    BOOST_TEST(refused.header("Access-Control-Allow-Origin") == "");
    BOOST_TEST(server.get().connections() == 1U);
}

BOOST_AUTO_TEST_CASE(limits_of_bodies_change_with_the_routes) {
    running_server server(fill_first);
    client c(server.port());
    BOOST_TEST(c.ask(post(10, "0123456789")).status == 200U);
    server.get().apply(options_for(""), routes_named("second"));
    BOOST_TEST(c.ask(post(20, "01234567890123456789")).status == 200U);
    server.get().apply(options_for(""), routes_named("first"));
    BOOST_TEST(c.ask(post(11, "01234567890")).status == 413U);
}

BOOST_AUTO_TEST_CASE(an_open_connection_is_a_proxys_by_the_rules_in_use) {
    running_server server(fill_first);
    client c(server.port());
    const auto who = [&c] { return c.ask(get("/api/who", "X-Forwarded-For: 192.0.2.7\r\n")).body; };
    BOOST_TEST(who() == "127.0.0.1");
    auto trusting = options_for("");
    trusting.front.trusted = [](const boost::asio::ip::address& peer) { return peer.is_loopback(); };
    server.get().apply(trusting, routes_named("first"));
    BOOST_TEST(who() == "192.0.2.7");
    server.get().apply(options_for(""), routes_named("first"));
    BOOST_TEST(who() == "127.0.0.1");
}

BOOST_AUTO_TEST_CASE(clients_are_admitted_by_the_rules_in_use_where_no_login_is_needed) {
    const auto routes = [] {
        auto table = std::make_shared<router>();
        table->add(method::get, "/open", always([](request&) { return response::text(200, "open"); }),
                   {.limits_clients = true});
        table->add(method::get, "/login", always([](request&) { return response::text(200, "login"); }));
        table->add_hot(method::get, "/at-once", [](request&, response& out) {
            out = response::text(200, "at once");
            return true;
        });
        table->add(method::get, "/at-once", always([](request&) { return response::text(500, ""); }),
                   {.limits_clients = true});
        table->set_fallback([](request& message, response& out) {
            if (message.path() != "/file") return false;
            out = response::text(200, "file");
            return true;
        });
        return table;
    };
    running_server server([&](router& table) { table = std::move(*routes()); });
    client c(server.port());
    const auto status = [&c](std::string_view path) { return c.ask(get(path)).status; };
    for (const auto* const path : {"/open", "/login", "/at-once", "/file"})
        BOOST_TEST(status(path) == 200U);
    std::string asked_for;
    auto strict = options_for("");
    strict.front.trusted = [](const boost::asio::ip::address& peer) { return peer.is_loopback(); };
    strict.admit = [&asked_for](const request& message) -> result<void> {
        asked_for += std::string(message.remote_address()) + " ";
        return error{errc::too_many_requests, "too many", 7};
    };
    server.get().apply(strict, routes());
    for (const auto* const path : {"/open", "/at-once", "/file", "/absent"}) {
        asked_for.clear();
        const auto refused = c.ask(get(path, "X-Forwarded-For: 192.0.2.7\r\n"));
        BOOST_TEST(refused.status == 429U);
        BOOST_TEST(refused.header("Retry-After") == "7");
        BOOST_TEST(refused.body.find("\"errorCode\":33") != std::string::npos);
        BOOST_TEST(asked_for == "192.0.2.7 ");
    }
    asked_for.clear();
    BOOST_TEST(status("/login") == 200U);
    BOOST_TEST(asked_for == "");
    server.get().apply(options_for(""), routes());
    BOOST_TEST(status("/open") == 200U);
    BOOST_TEST(status("/absent") == 404U);
}

BOOST_AUTO_TEST_CASE(fewer_connections_than_are_open_close_none) {
    running_server server(fill_first);
    client first(server.port());
    client second(server.port());
    BOOST_TEST(first.ask(get("/api/name")).status == 200U);
    BOOST_TEST(second.ask(get("/api/name")).status == 200U);
    auto few = options_for("");
    few.limits.connections = 1;
    server.get().apply(few, routes_named("second"));
    BOOST_TEST(first.ask(get("/api/name")).body == "second");
    BOOST_TEST(second.ask(get("/api/name")).body == "second");
    client third(server.port());
    third.send(get("/api/name"));
    server.get().apply(options_for(""), routes_named("third"));
    BOOST_TEST(third.receive().value().body == "third");
}

BOOST_AUTO_TEST_CASE(the_observer_knows_routes_by_the_same_names) {
    running_server server(fill_first);
    client c(server.port());
    BOOST_TEST(c.ask(get("/api/name")).body == "first");
    server.get().apply(options_for(""), routes_named("second"));
    BOOST_TEST(c.ask(get("/api/name")).body == "second");
    BOOST_TEST(c.ask(get("/api/name")).body == "second");
    const auto seen = server.seen().observed();
    BOOST_TEST_REQUIRE(seen.size() >= 2U);
    for (const auto& one : seen)
        BOOST_TEST(one.route == "name");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::http::test
