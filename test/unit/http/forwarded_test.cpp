#include "boost_test.hpp"
#include "support.hpp"

#include "http/forwarded.hpp"

#include <string>

namespace gallery::http::test {

namespace {

/// 10.x and ::1 are proxies.
bool is_proxy(const boost::asio::ip::address& address) {
    return address.is_v4() ? address.to_v4().to_bytes()[0] == 10 : address.is_loopback();
}

std::string client_of(const std::string& lines) {
    const parsed_request message(lines);
    return forwarded_client(message, is_proxy);
}

std::string of(const std::string& value) {
    return client_of("X-Forwarded-For: " + value + "\r\n");
}

void whoami(router& routes) {
    routes.add(method::get, "/whoami", always([](request& message) {
                   return response::text(200, std::string(message.remote_address()));
               }));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(forwarded)

BOOST_AUTO_TEST_CASE(the_last_address_that_is_no_trusted_proxy_is_the_client) {
    BOOST_TEST(of("192.0.2.1") == "192.0.2.1");
    BOOST_TEST(of("203.0.113.9, 192.0.2.1") == "192.0.2.1");  // the client's own word comes before
    BOOST_TEST(of("192.0.2.1, 10.0.0.1,10.0.0.2 ") == "192.0.2.1");
    BOOST_TEST(of("evil, 192.0.2.1, 10.0.0.1") == "192.0.2.1");
    BOOST_TEST(of("10.0.0.1, 10.0.0.2") == "10.0.0.1");
    BOOST_TEST(client_of("X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 192.0.2.1, 10.0.0.1\r\n") ==
               "192.0.2.1");
    BOOST_TEST(client_of("X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 10.0.0.1\r\n") == "192.0.2.1");
}

BOOST_AUTO_TEST_CASE(addresses_are_written_in_one_way) {
    BOOST_TEST(of("192.0.2.1:8080") == "192.0.2.1");
    BOOST_TEST(of("2001:DB8:0::1") == "2001:db8::1");
    BOOST_TEST(of("[2001:db8::1]") == "2001:db8::1");
    BOOST_TEST(of("[2001:db8::1]:8080, ::1") == "2001:db8::1");
    BOOST_TEST(of("::ffff:192.0.2.1") == "192.0.2.1");
}

BOOST_AUTO_TEST_CASE(what_is_no_address_ends_the_search) {
    BOOST_TEST(client_of("") == "");
    for (const char* value : {"", "unknown", "_hidden", "192.0.2", "192.0.2.1,", "192.0.2.1, unknown", ",",
                              "fe80::1%eth0", "[", "[]", ":", "192.0.2.1 10.0.0.1"}) {
        BOOST_TEST(of(value) == "", value);
    }
    BOOST_TEST(of("192.0.2.1, unknown, 10.0.0.1") == "10.0.0.1");
}

BOOST_AUTO_TEST_CASE(a_request_has_the_address_of_its_own_header_where_its_peer_is_trusted) {
    running_server server(whoami, [](server_options& options) {
        options.trusted_proxy = [](const boost::asio::ip::address& peer) { return peer.is_loopback(); };
    });
    client proxy(server.port());
    BOOST_TEST(proxy.ask(get("/whoami", "X-Forwarded-For: 192.0.2.1\r\n")).body == "192.0.2.1");
    BOOST_TEST(proxy.ask(get("/whoami")).body == "127.0.0.1");
    BOOST_TEST(proxy.ask(get("/whoami", "X-Forwarded-For: 2001:db8::2\r\n")).body == "2001:db8::2");
    BOOST_TEST(proxy.ask(get("/whoami", "X-Forwarded-For: x\r\n")).body == "127.0.0.1");
}

BOOST_AUTO_TEST_CASE(nobody_else_is_believed) {
    running_server none(whoami);
    client direct(none.port());
    BOOST_TEST(direct.ask(get("/whoami", "X-Forwarded-For: 192.0.2.1\r\n")).body == "127.0.0.1");
    running_server others(whoami, [](server_options& options) { options.trusted_proxy = is_proxy; });
    client stranger(others.port());
    BOOST_TEST(stranger.ask(get("/whoami", "X-Forwarded-For: 192.0.2.1\r\n")).body == "127.0.0.1");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::http::test
