// SPDX-License-Identifier: Apache-2.0
// A hot 304 allocates nothing once the connection has warmed up: every allocator of the process is counted.
#include "boost_test.hpp"
#include "support.hpp"

#include "http/serve_bytes.hpp"

#include <unistd.h>
#include <cstddef>
#include <cstdlib>
#include <string>

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

#include "count_allocations.hpp"

namespace gallery::http::test {

using gallery::test::allocations;
using gallery::test::counting;

BOOST_AUTO_TEST_SUITE(allocations_of_a_request)

BOOST_AUTO_TEST_CASE(a_hot_304_allocates_nothing) {
    running_server server(
        [](router& routes) {
            routes.add(method::get, "/api/images/{type}/{key}",
                       always([](request&) { return response::empty(500); }), {.name = "image.download"});
            routes.add_hot(method::get, "/api/images/{type}/{key}", [](request& message, response& out) {
                return try_not_modified(
                    message,
                    {.etag = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                     .media_type = "image/png",
                     .size = 10'000,
                     .cache_control = "private, no-cache"},
                    out);
            });
        },
        [](server_options& options) { options.observe = [](const finished_exchange&) {}; });
    client c(server.port());
    const auto text =
        get("/api/images/tenant/a%20rather%20long%20name%20of%20a%20picture.png",
            "X-Authorization: Bearer " + std::string(500, 't') +
                "\r\nIf-None-Match: "
                "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"\r\nUser-Agent: "
                "Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: image/*\r\n");
    char reply[4096];
    const auto round = [&] {
        c.send(text);
        return ::read(c.descriptor(), reply, sizeof reply);
    };
    for (int i = 0; i < 50; ++i)
        BOOST_REQUIRE(round() > 0);
    counting = true;
    BOOST_TEST(std::string(std::size_t{1000}, 'x').size() == 1000U);
    BOOST_TEST(allocations.exchange(0) > 0U);  // it does count
    ssize_t least = sizeof reply;
    for (int i = 0; i < 1000; ++i)
        least = std::min(least, round());
    counting = false;
    BOOST_TEST(least > 100);
    BOOST_TEST(std::string_view(reply).substr(0, 12) == "HTTP/1.1 304");
    // The client's send() and read() allocate nothing, so what is counted is the server's. Asio's timer of
    // one tick a second is allowed for.
    BOOST_TEST(allocations <= 4U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::http::test

#endif
