// SPDX-License-Identifier: Apache-2.0
// Responses over real sockets: memory and files, slow readers, deadlines, drain, binding.
#include "boost_test.hpp"
#include "support.hpp"

#include "http/errors.hpp"
#include "http/serve_bytes.hpp"

#include <boost/asio/steady_timer.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <atomic>
#include <cstdlib>
#include <future>
#include <random>
#include <thread>

namespace gallery::http::test {

namespace {

/// Of a client that reads slowly. Much less would be the kernel's silly window syndrome, not a test.
constexpr int small_buffer = 256 * 1024;

std::string noise(std::size_t size) {
    std::mt19937 random(static_cast<unsigned>(size));
    std::string out(size, '\0');
    for (auto& c : out)
        c = static_cast<char>(random());
    return out;
}

std::shared_ptr<const file_handle> file_of(std::string_view content) {
    char name[] = "/tmp/gallery-http-XXXXXX";
    const int descriptor = ::mkstemp(name);
    BOOST_REQUIRE(descriptor >= 0);
    ::unlink(name);
    while (!content.empty()) {
        const auto done = ::write(descriptor, content.data(), content.size());
        BOOST_REQUIRE(done > 0);
        content.remove_prefix(static_cast<std::size_t>(done));
    }
    return std::make_shared<const file_handle>(descriptor);
}

void add_bodies(router& routes) {
    for (const std::size_t size : {0UL, 1UL, 1000UL, 32767UL, 32768UL, 100'000UL, 1UL << 20, 16'000'001UL}) {
        const auto content = noise(size);
        const auto memory = gallery::bytes::own(content);
        const auto file = file_of("front" + content + "back");
        const auto name = std::to_string(size);
        routes.add(method::get, "/memory/" + name, always([memory](request& message) {
                       return serve_bytes(
                           message, {.etag = "e", .media_type = "image/png", .size = memory.size()}, memory);
                   }));
        routes.add(method::get, "/file/" + name, always([file, size](request& message) {
                       return serve_bytes(message, {.etag = "e", .media_type = "image/png", .size = size},
                                          file_region{file, 5, size});
                   }));
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(writing)

BOOST_AUTO_TEST_CASE(a_body_in_a_file_is_sent_as_one_in_memory) {
    running_server server(add_bodies);
    client c(server.port());
    for (const std::size_t size : {0UL, 1UL, 1000UL, 32767UL, 32768UL, 100'000UL, 1UL << 20, 16'000'001UL}) {
        const auto name = std::to_string(size);
        const auto content = noise(size);
        for (const auto* kind : {"/memory/", "/file/"}) {
            const auto got = c.ask(get(kind + name));
            BOOST_TEST(got.status == 200U);
            BOOST_TEST((got.body == content), kind << name);
        }
        if (size < 1000) continue;
        for (const auto* kind : {"/memory/", "/file/"}) {
            const auto got = c.ask(get(kind + name, "Range: bytes=7-" + std::to_string(size - 100) + "\r\n"));
            BOOST_TEST(got.status == 206U);
            BOOST_TEST((got.body == content.substr(7, size - 106)), kind << name);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_slow_reader_gets_everything_and_the_others_do_not_wait) {
    running_server server(add_bodies);
    for (const std::string kind : {"/memory/16000001", "/file/16000001"}) {
        client slow(server.port(), small_buffer);
        slow.send(get(kind));
        BOOST_TEST(client(server.port()).ask(get("/memory/1000")).status == 200U);
        const auto got = slow.receive();
        BOOST_REQUIRE(got);
        BOOST_TEST((got->body == noise(16'000'001)));
    }
}

BOOST_AUTO_TEST_CASE(a_reader_that_stops_is_cut_off_after_the_write_timeout) {
    running_server server(add_bodies, [](server_options& options) {
        options.manual_time = true;
        options.timeouts.write = std::chrono::seconds(10);
    });
    for (const std::string kind : {"/memory/16000001", "/file/16000001"}) {
        client slow(server.port(), small_buffer);
        slow.send(get(kind));
        slow.read_some(100);  // it has begun, and the kernel's buffers are too small for it
        server.get().advance(std::chrono::seconds(8));
        BOOST_TEST(server.get().connections() == 1U);
        server.get().advance(std::chrono::seconds(8));
        BOOST_TEST(server.get().connections() == 0U);
    }
    BOOST_TEST(!server.seen().observed().back().complete);
}

BOOST_AUTO_TEST_CASE(a_reader_that_goes_on_too_slowly_is_cut_off) {
    running_server server(add_bodies, [](server_options& options) {
        options.manual_time = true;
        options.timeouts.write = std::chrono::seconds(10);
        options.timeouts.write_bytes_per_second = 1'000'000;
    });
    // Bytes that a client gets which takes so many every second.
    const auto taken_by = [&](const std::string& path, std::size_t each_second) {
        client c(server.port(), small_buffer);
        c.send(get(path));
        std::size_t taken = 0;
        while (taken < 16'000'001) {
            for (std::size_t now = 0; now < each_second && taken < 16'000'001;) {
                const auto got = c.read_some(65536).size();
                if (got == 0) return taken;
                now += got;
                taken += got;
            }
            server.get().advance(std::chrono::seconds(1));
        }
        return taken;
    };
    for (const std::string kind : {"/memory/16000001", "/file/16000001"}) {
        BOOST_TEST(taken_by(kind, 2'000'000) >= 16'000'001U);
        BOOST_TEST(taken_by(kind, 200'000) < 16'000'001U);
    }
}

BOOST_AUTO_TEST_CASE(a_client_that_vanishes_in_the_middle_leaves_the_server_well) {
    running_server server(add_bodies);
    for (const std::string kind : {"/memory/16000001", "/file/16000001"}) {
        client gone(server.port(), small_buffer);
        gone.send(get(kind));
        gone.read_some(100);
    }
    BOOST_TEST(client(server.port()).ask(get("/memory/1000")).status == 200U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(deadlines)

BOOST_AUTO_TEST_CASE(a_head_that_does_not_come_is_a_408) {
    running_server server(add_bodies, [](server_options& options) { options.manual_time = true; });
    client c(server.port());
    BOOST_TEST(c.ask(get("/memory/1")).status == 200U);
    c.send("GET /memory/1 HT");
    // It has to be seen before time passes: another connection's round trip, on the same thread.
    BOOST_TEST(client(server.port()).ask(get("/memory/1")).status == 200U);
    server.get().advance(std::chrono::seconds(15));
    BOOST_TEST(server.get().connections() >= 1U);
    server.get().advance(std::chrono::seconds(10));
    const auto got = c.receive();
    BOOST_REQUIRE(got);
    BOOST_TEST(got->status == 408U);
}

BOOST_AUTO_TEST_CASE(an_idle_connection_gives_its_buffer_back_and_lives_until_the_keep_alive_timeout) {
    running_server server(add_bodies, [](server_options& options) { options.manual_time = true; });
    client c(server.port());
    client fresh(server.port());
    BOOST_TEST(c.ask(get("/memory/1")).status == 200U);
    server.get().advance(std::chrono::seconds(5));
    BOOST_TEST(c.ask(get("/memory/1")).status == 200U);
    server.get().advance(std::chrono::seconds(60));
    BOOST_TEST(c.ask(get("/memory/1")).status == 200U);
    BOOST_TEST(fresh.ask(get("/memory/1")).status == 200U);
    BOOST_TEST(server.get().connections() == 2U);
    server.get().advance(std::chrono::seconds(80));
    BOOST_TEST(server.get().connections() == 0U);
    BOOST_TEST(c.at_end());
}

BOOST_AUTO_TEST_CASE(a_body_that_trickles_is_cut_off_and_one_that_flows_is_not) {
    running_server server(
        [](router& routes) {
            routes.add(method::post, "/count",
                       [](request& message) -> task<result<response>> {
                           auto content = co_await message.body().read_all(1 << 20);
                           if (!content) co_return content.error();
                           co_return response::text(200, std::to_string(content->size()));
                       },
                       {.name = "count", .body_limit = 1 << 20});
            routes.add(method::get, "/", always([](request&) { return response::empty(200); }));
        },
        [](server_options& options) { options.manual_time = true; });
    const auto settle = [&server] { client(server.port()).ask(get("/")); };
    {
        client c(server.port());
        c.send("POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
        for (int i = 0; i < 10; ++i) {  // 10 kB each 10 s for 100 s
            c.send(std::string(10'000, 'x'));
            settle();
            server.get().advance(std::chrono::seconds(9));
        }
        const auto got = c.receive();
        BOOST_REQUIRE(got);
        BOOST_TEST(got->body == "100000");
    }
    {
        client c(server.port());
        c.send("POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
        for (int i = 0; i < 10; ++i) {  // a byte each 5 s
            c.send_some("x");
            settle();
            server.get().advance(std::chrono::seconds(5));
        }
        const auto got = c.receive();
        BOOST_REQUIRE(got);
        BOOST_TEST(got->status == 408U);
        BOOST_TEST(got->header("Connection") == "close");
    }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(stopping)

BOOST_AUTO_TEST_CASE(drain_closes_the_idle_and_lets_the_running_finish) {
    asio::thread_pool pool(1);
    std::promise<void> entered;
    std::promise<void> may_go;
    running_server server([&](router& routes) {
        routes.add(method::get, "/slow", [&](request&) -> task<result<response>> {
            auto work = [&] {
                entered.set_value();
                may_go.get_future().wait();
                return 1;
            };
            co_await offload(pool, work);
            co_return response::text(200, "done");
        });
        routes.add(method::get, "/", always([](request&) { return response::empty(200); }));
    });
    client idle(server.port());
    client fresh(server.port());
    idle.ask(get("/"));
    client busy(server.port());
    busy.send(get("/slow"));
    entered.get_future().wait();
    auto drained =
        std::async(std::launch::async, [&] { return server.get().drain(std::chrono::seconds(10)); });
    BOOST_TEST(idle.at_end());
    BOOST_TEST(fresh.at_end());
    BOOST_CHECK_THROW(client{server.port()}, std::runtime_error);
    may_go.set_value();
    const auto got = busy.receive();
    BOOST_REQUIRE(got);
    BOOST_TEST(got->body == "done");
    BOOST_TEST(got->header("Connection") == "close");
    BOOST_TEST(drained.get());
    BOOST_TEST(server.get().connections() == 0U);
    pool.join();
}

BOOST_AUTO_TEST_CASE(drain_ends_at_its_deadline) {
    running_server server([&](router& routes) {
        routes.add(method::post, "/never",
                   [](request& message) -> task<result<response>> {
                       auto content = co_await message.body().read_all(100);
                       co_return response::empty(content ? 200 : 400);
                   },
                   {.name = "never", .body_limit = 100});
        routes.add(method::get, "/", always([](request&) { return response::empty(200); }));
    });
    client stuck(server.port());
    stuck.send("POST /never HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n");
    client(server.port()).ask(get("/", "Connection: close\r\n"));
    BOOST_TEST(!server.get().drain(std::chrono::milliseconds(50)));
    BOOST_TEST(server.get().connections() == 0U);
}

BOOST_AUTO_TEST_CASE(stop_destroys_what_is_suspended) {
    auto alive = std::make_shared<int>(1);
    {
        running_server server([&](router& routes) {
            routes.add(method::get, "/never", [alive](request&) -> task<result<response>> {
                const auto held = alive;
                asio::steady_timer forever(co_await asio::this_coro::executor);
                forever.expires_at(std::chrono::steady_clock::time_point::max());
                co_await forever.async_wait(use_task);
                co_return response::empty(200);
            });
            routes.add(method::get, "/", always([](request&) { return response::empty(200); }));
        });
        client stuck(server.port());
        stuck.send(get("/never"));
        client(server.port()).ask(get("/"));
        server.get().stop();
    }
    BOOST_TEST(alive.use_count() == 1);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(listening)

BOOST_AUTO_TEST_CASE(a_port_in_use_is_refused_with_what_to_do) {
    running_server first([](router&) {});
    server_options options;
    options.address = "127.0.0.1";
    options.port = first.port();
    options.io_threads = 1;
    auto second = server::create(options);
    BOOST_REQUIRE(second);
    const auto listening = (*second)->listen(std::make_shared<router>());
    BOOST_REQUIRE(!listening);
    BOOST_TEST(listening.error().message.find(std::to_string(first.port())) != std::string::npos);
    BOOST_TEST(listening.error().message.find("HTTP_BIND_PORT") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(bad_addresses_and_an_unknown_congestion_control_are_told) {
    server_options options;
    options.address = "not an address";
    const auto made = server::create(options);
    BOOST_REQUIRE(!made);
    BOOST_TEST(made.error().message.find("not an address") != std::string::npos);

    running_server server([](router&) {}, [](server_options& o) { o.congestion_control = "no-such-thing"; });
    BOOST_REQUIRE_EQUAL(server.seen().logged().size(), 1U);
    BOOST_TEST(server.seen().logged()[0].find("no-such-thing") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(several_threads_share_a_port_and_ipv6_is_spoken) {
    running_server server(add_bodies, [](server_options& o) { o.io_threads = 3; });
    std::vector<std::thread> clients;
    std::atomic<int> good{0};
    for (int i = 0; i < 8; ++i) {
        clients.emplace_back([&] {
            for (int round = 0; round < 20; ++round) {
                client c(server.port());
                for (int each = 0; each < 5; ++each) {
                    c.send(get("/memory/1000"));
                    const auto got = c.receive();
                    if (got && got->body.size() == 1000) ++good;
                }
            }
        });
    }
    for (auto& each : clients)
        each.join();
    BOOST_TEST(good == 800);
    running_server six(
        [](router& r) { r.add(method::get, "/", always([](request&) { return response::empty(200); })); },
        [](server_options& o) { o.address = "::"; });
    BOOST_TEST(client(six.port()).ask(get("/")).status == 200U);  // IPv4 through the IPv6 socket
}

BOOST_AUTO_TEST_CASE(connections_over_the_bound_wait_for_a_place) {
    running_server server(add_bodies, [](server_options& o) { o.limits.connections = 2; });
    auto first = std::make_unique<client>(server.port());
    client second(server.port());
    first->ask(get("/memory/1"));
    second.ask(get("/memory/1"));
    client third(server.port());
    third.send(get("/memory/1"));
    BOOST_TEST(server.get().connections() == 2U);
    first.reset();
    const auto got = third.receive();
    BOOST_REQUIRE(got);
    BOOST_TEST(got->status == 200U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::http::test
