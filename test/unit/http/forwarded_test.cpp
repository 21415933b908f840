// SPDX-License-Identifier: Apache-2.0
#include "boost_test.hpp"
#include "support.hpp"

#include "http/errors.hpp"
#include "http/forwarded.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

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

BOOST_AUTO_TEST_CASE(a_request_with_a_field_of_proxies_is_forwarded_whatever_is_in_it) {
    const auto forwarded = [](const std::string& lines) { return is_forwarded(parsed_request(lines)); };
    for (const std::string field :
         {"X-Forwarded-For: 192.0.2.1", "x-forwarded-for:", "X-Forwarded-For: unknown",
          "Forwarded: for=_hidden", "FORWARDED: ;;=", "X-Forwarded-Proto: https",
          "X-Forwarded-Prefix: /gallery", "X-Forwarded-Server: front"})
        BOOST_TEST(forwarded("Accept: */*\r\n" + field + "\r\n"), field);
    for (const std::string field :
         {"Accept: X-Forwarded-For", "X-Forward: for", "Forwarded-For: x", "X-Real: x"})
        BOOST_TEST(!forwarded(field + "\r\n"), field);
    BOOST_TEST(!forwarded(""));
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
        options.front.trusted = [](const boost::asio::ip::address& peer) { return peer.is_loopback(); };
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
    running_server others(whoami, [](server_options& options) { options.front.trusted = is_proxy; });
    client stranger(others.port());
    BOOST_TEST(stranger.ask(get("/whoami", "X-Forwarded-For: 192.0.2.1\r\n")).body == "127.0.0.1");
}

namespace {

/// "https://host/prefix" as a client behind a trusted proxy sees the server; @p base: the base path.
std::string view(const std::string& lines, const std::string& base = "", bool from_proxy = true) {
    parsed_request message(lines, "GET / HTTP/1.1\r\nHost: inside:8080");
    const front_door door{is_proxy, base};
    message.get().set_front(&door, from_proxy);
    return view_of(message).url("");
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_trusted_proxy_decides_scheme_host_port_and_prefix) {
    const std::pair<const char*, const char*> cases[] = {
        {"", "http://inside:8080"},
        {"X-Forwarded-Proto: https\r\n", "https://inside:8080"},
        {"X-FORWARDED-PROTO:  HTTPS \r\n", "https://inside:8080"},
        {"X-Forwarded-Proto: wss\r\n", "https://inside:8080"},
        {"X-Forwarded-Proto: https,http\r\n", "https://inside:8080"},
        {"X-Forwarded-Proto: https\r\nX-Forwarded-Proto: http\r\n", "https://inside:8080"},
        {"X-Forwarded-Proto: gopher\r\n", "http://inside:8080"},
        {"X-Forwarded-Host: Gallery.Example\r\n", "http://Gallery.Example"},
        {"X-Forwarded-Host: gallery.example:80\r\n", "http://gallery.example"},
        {"X-Forwarded-Host: gallery.example:443\r\n", "http://gallery.example:443"},
        {"X-Forwarded-Host: gallery.example:443\r\nX-Forwarded-Proto: https\r\n", "https://gallery.example"},
        {"X-Forwarded-Host: outer.example, inner.example\r\n", "http://outer.example"},
        {"X-Forwarded-Host: [2001:db8::1]:8443\r\n", "http://[2001:db8::1]:8443"},
        {"X-Forwarded-Host: [2001:db8::1]\r\nX-Forwarded-Port: 8443\r\n", "http://[2001:db8::1]:8443"},
        {"X-Forwarded-Host: gallery.example:1\r\nX-Forwarded-Port: 8443\r\n", "http://gallery.example:8443"},
        {"X-Forwarded-Port: 8443, 80\r\n", "http://inside:8443"},
        {"X-Forwarded-Port: 80\r\n", "http://inside"},
        {"X-Forwarded-Port: 0\r\n", "http://inside:8080"},
        {"X-Forwarded-Port: 65536\r\n", "http://inside:8080"},
        {"X-Forwarded-Port: +80\r\n", "http://inside:8080"},
        {"X-Forwarded-Prefix: /gallery\r\n", "http://inside:8080/gallery"},
        {"X-Forwarded-Prefix: /gallery/\r\n", "http://inside:8080/gallery"},
        {"X-Forwarded-Prefix: /a, /b/\r\n", "http://inside:8080/a/b"},
        {"X-Forwarded-Prefix: /\r\n", "http://inside:8080"},
        // The entry of the client's address, where there is one for each address.
        {"X-Forwarded-For: 203.0.113.9, 192.0.2.1\r\nX-Forwarded-Proto: http, https\r\n",
         "https://inside:8080"},
        {"X-Forwarded-For: 192.0.2.1, 10.0.0.2\r\nX-Forwarded-Proto: https, http\r\n", "https://inside:8080"},
        {"X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https, http\r\n", "https://inside:8080"},
        // RFC 7239.
        {"Forwarded: for=192.0.2.1;proto=https;host=gallery.example\r\n", "https://gallery.example"},
        {"forwarded: For=\"192.0.2.1\"; Proto=\"HTTPS\" ;HOST=\"gallery.example:8443\"\r\n",
         "https://gallery.example:8443"},
        {"Forwarded: for=\"[2001:db8::1]:4711\";host=\"[2001:db8::2]:81\"\r\n", "http://[2001:db8::2]:81"},
        {"Forwarded: for=evil;host=evil.example, for=192.0.2.1;host=good.example, for=10.0.0.1;host=in\r\n",
         "http://good.example"},
        {"Forwarded: for=1.2.3.4;host=evil.example\r\nForwarded: for=192.0.2.1;host=good.example\r\n",
         "http://good.example"},
        {"Forwarded: host=\"a\\\"b,c;d\", for=192.0.2.1\r\n", "http://inside:8080"},
        {"Forwarded: proto=https\r\n", "https://inside:8080"},
        {"Forwarded: proto=https;host=\r\n", "http://inside:8080"},
        {"Forwarded: proto=https;host=\"gallery.example\r\n", "http://inside:8080"},
        // Whoever writes X-Forwarded-* passes on a Forwarded that the client wrote.
        {"X-Forwarded-Proto: http\r\nForwarded: for=1.2.3.4;proto=https;host=evil.example\r\n",
         "http://inside:8080"},
    };
    for (const auto& [lines, expected] : cases)
        BOOST_TEST(view(lines) == expected, lines << " gives " << view(lines) << ", not " << expected);
    for (const char* host : {"evil.example/path", "a b", "user@host", "a,b", "host:x", "host:1:2", "[::1",
                             "[x]", "a\"b", "<b>", "", "host:99999", "\xC3\xA4.example"}) {
        const auto lines = "X-Forwarded-Host: " + std::string(host) + "\r\n";
        const auto expected = std::string(host) == "a,b" ? "http://a" : "http://inside:8080";
        BOOST_TEST(view(lines) == expected, host);
    }
}

BOOST_AUTO_TEST_CASE(nobody_else_decides_what_links_look_like) {
    const std::string all =
        "X-Forwarded-Proto: https,http\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Port: 1\r\n"
        "X-Forwarded-Prefix: /evil\r\nForwarded: proto=https;host=evil.example\r\n";
    BOOST_TEST(view(all, "", false) == "http://inside:8080");
    BOOST_TEST(view(all, "/gallery", false) == "http://inside:8080/gallery");
    const parsed_request bare(all, "GET / HTTP/1.1\r\nHost: inside");
    BOOST_TEST(view_of(bare).url("/x") == "http://inside/x");
}

BOOST_AUTO_TEST_CASE(the_base_path_counts_where_no_proxy_names_a_sound_one) {
    BOOST_TEST(view("", "/gallery") == "http://inside:8080/gallery");
    BOOST_TEST(view("X-Forwarded-Prefix: /other\r\n", "/gallery") == "http://inside:8080/other");
    for (const char* wrong : {"//evil.example", "/a//b", "gallery", "/../x", "/a/./b", "/a\"b", "/<b>",
                              "/a b", "/a?b", "/a#b", "/%2e", "/a, b", "https://evil.example/"}) {
        const auto lines = "X-Forwarded-Prefix: " + std::string(wrong) + "\r\n";
        BOOST_TEST(view(lines, "/gallery") == "http://inside:8080/gallery", wrong);
        if (std::string(wrong) != "/a, b") BOOST_TEST(!parse_path_prefix(wrong).has_value(), wrong);
    }
}

BOOST_AUTO_TEST_CASE(the_client_is_also_who_forwarded_names) {
    BOOST_TEST(client_of("Forwarded: for=192.0.2.1\r\n") == "192.0.2.1");
    BOOST_TEST(client_of("Forwarded: for=\"[2001:db8::1]:80\", for=10.0.0.1\r\n") == "2001:db8::1");
    BOOST_TEST(client_of("Forwarded: for=203.0.113.9, for=192.0.2.1;by=10.0.0.9, For=10.0.0.1\r\n") ==
               "192.0.2.1");
    BOOST_TEST(client_of("Forwarded: for=192.0.2.1, for=_hidden, for=10.0.0.1\r\n") == "10.0.0.1");
    BOOST_TEST(client_of("Forwarded: for=unknown\r\n") == "");
    BOOST_TEST(client_of("Forwarded: for=\"192.0.2.1\r\n") == "");
    BOOST_TEST(client_of("Forwarded: for=203.0.113.9\r\nX-Forwarded-For: 192.0.2.1\r\n") == "192.0.2.1");
    BOOST_TEST(client_of("Forwarded: for=203.0.113.9\r\nX-Forwarded-Proto: https\r\n") == "");
}

BOOST_AUTO_TEST_CASE(requests_are_found_with_and_without_the_prefix) {
    running_server server(whoami, [](server_options& options) {
        options.front.trusted = [](const boost::asio::ip::address& peer) { return peer.is_loopback(); };
        options.front.base_path = "/gallery";
    });
    client c(server.port());
    BOOST_TEST(c.ask(get("/whoami")).body == "127.0.0.1");
    BOOST_TEST(c.ask(get("/gallery/whoami")).body == "127.0.0.1");
    BOOST_TEST(c.ask(get("/gallery/gallery/whoami")).body == "127.0.0.1");
    BOOST_TEST(c.ask(get("/gallerywhoami")).status == 404U);
    BOOST_TEST(c.ask(get("/other/whoami")).status == 404U);
    BOOST_TEST(c.ask(get("/other/whoami", "X-Forwarded-Prefix: /other\r\n")).body == "127.0.0.1");
    BOOST_TEST(c.ask("POST /gallery/whoami HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").status == 405U);
}

BOOST_AUTO_TEST_CASE(an_error_has_the_id_that_the_log_has) {
    const auto routes = [](router& all) {
        all.add(method::get, "/full", always([](request&) {
                    return error_response({errc::no_space, "/var/lib/gallery/rocksdb/000017.log: disk full"});
                }));
        all.add(method::get, "/fine", always([](request&) { return response::text(200, "fine"); }));
    };
    const auto trusting = [](server_options& options) {
        options.front.trusted = [](const boost::asio::ip::address& peer) { return peer.is_loopback(); };
    };
    running_server server(routes);
    client c(server.port());
    const auto got = c.ask(get("/full", "X-Request-ID: mine\r\n"));
    BOOST_TEST(got.status == 507U);
    BOOST_TEST(got.body.find("rocksdb") == std::string::npos);
    const auto id = got.header("X-Request-ID");
    BOOST_TEST(id.size() == 16U);
    BOOST_TEST(got.body.ends_with(",\"requestId\":\"" + id + "\"}"), got.body);
    BOOST_TEST(c.ask(get("/nothing")).header("X-Request-ID").size() == 16U);
    BOOST_TEST(c.ask(get("/nothing")).header("X-Request-ID") != id);
    BOOST_TEST(c.ask(get("/fine")).count("X-Request-ID") == 0U);
    // The line was written before the next request was answered.
    const auto lines = server.seen().logged();
    BOOST_TEST(std::any_of(lines.begin(), lines.end(), [&id](const std::string& line) {
        return line.find("[" + id + "]") != line.npos && line.find("000017.log: disk full") != line.npos;
    }));
    running_server behind(routes, trusting);
    client proxy(behind.port());
    BOOST_TEST(proxy.ask(get("/full", "X-Request-ID: proxy-1\r\n")).header("X-Request-ID") == "proxy-1");
    BOOST_TEST(proxy.ask(get("/full", "X-Request-ID: a b\r\n")).header("X-Request-ID").size() == 16U);
    const std::string trace = "0af7651916cd43dd8448eb211c80319c";
    const auto parent = "traceparent: 00-" + trace + "-b7ad6b7169203331-01\r\n";
    BOOST_TEST(proxy.ask(get("/full", parent)).header("X-Request-ID") == trace);
    BOOST_TEST(proxy.ask(get("/full", parent + "X-Request-ID: own\r\n")).header("X-Request-ID") == "own");
    BOOST_TEST(c.ask(get("/full", parent)).header("X-Request-ID").size() == 16U);
    // Also of a head that is refused.
    const auto refused = proxy.ask("GET / HTTP/1.1\r\nHost: a\r\nX-Request-ID: bad-1\r\nno colon\r\n\r\n");
    BOOST_TEST(refused.status == 400U);
    BOOST_TEST(refused.body.ends_with(",\"requestId\":\"bad-1\"}"), refused.body);
}

BOOST_AUTO_TEST_CASE(an_id_for_the_log_needs_no_escaping) {
    BOOST_TEST(is_request_id("a"));
    BOOST_TEST(is_request_id("0af7-._~!#$%&'*+^`|"));
    BOOST_TEST(is_request_id(std::string(longest_request_id, 'x')));
    for (const auto& text : {std::string(), std::string(longest_request_id + 1, 'x'), std::string("a b"),
                             std::string("a\"b"), std::string("a\\b"), std::string("a\nb"),
                             std::string("a[b]"), std::string("\xC3\xA4"), std::string("a\0b", 3)})
        BOOST_TEST(!is_request_id(text), text);
}

BOOST_AUTO_TEST_CASE(a_trace_id_comes_from_a_whole_traceparent) {
    const std::string trace = "0af7651916cd43dd8448eb211c80319c";
    const std::string good = "00-" + trace + "-b7ad6b7169203331-01";
    BOOST_TEST(trace_id_of(good) == trace);
    BOOST_TEST(trace_id_of("00-" + trace + "-b7ad6b7169203331-00") == trace);
    BOOST_TEST(trace_id_of("cc-" + trace + "-b7ad6b7169203331-01") == trace);
    BOOST_TEST(trace_id_of("cc-" + trace + "-b7ad6b7169203331-01-more") == trace);
    const std::vector<std::string> malformed{std::string(),
                                             good + "-more",
                                             good + " ",
                                             "cc" + good.substr(2) + "more",
                                             "ff" + good.substr(2),
                                             "0" + good.substr(2),
                                             "0G" + good.substr(2),
                                             "00-" + std::string(32, '0') + "-b7ad6b7169203331-01",
                                             "00-" + trace + "-0000000000000000-01",
                                             "00-" + trace + "-b7ad6b716920333G-01",
                                             "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                                             "00_" + trace + "-b7ad6b7169203331-01",
                                             "00-" + trace + "_b7ad6b7169203331-01",
                                             "00-" + trace + "-b7ad6b7169203331_01",
                                             "00-" + trace + "-b7ad6b7169203331-0g",
                                             trace};
    for (const auto& wrong : malformed)
        BOOST_TEST(trace_id_of(wrong).empty(), wrong);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::http::test
