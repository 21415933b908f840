// SPDX-License-Identifier: Apache-2.0
// Heads: what is taken, what is refused and with which status (RFC 9110, RFC 9112).
#include "boost_test.hpp"

#include "http/head_parser.hpp"

#include <memory>
#include <string>
#include <vector>

namespace gallery::http::test {

namespace {

struct verdict_on {
    std::string text;
    unsigned status;  // 0 = taken
};

unsigned judge(const std::string& text, request_head& head) {
    const auto outcome = parse_head(text, {}, head);
    if (outcome.status == head_status::refused) return outcome.error.status;
    if (outcome.status == head_status::incomplete) return 1;
    const auto checked = validate_head(head);
    return checked.error ? checked.error->status : 0;
}

std::string with(const std::string& lines, const std::string& start = "GET / HTTP/1.1") {
    return start + "\r\nHost: a\r\n" + lines + "\r\n";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(heads)

BOOST_AUTO_TEST_CASE(a_head_is_taken_apart_into_views) {
    const std::string text =
        "PUT /api/images/tenant/a%20b?x=1&y=%2F HTTP/1.1\r\nhost:  gallery.local:8080 \r\nX-AUTHORIZATION: "
        "Bearer "
        "abc\r\nIf-None-Match:\r\nIF-NONE-MATCH: \"a\"\r\nX-Unknown: \t v w \t\r\nif-none-match: "
        "\"b\"\r\n\r\nrest";
    request_head head;
    const auto outcome = parse_head(text, {}, head);
    BOOST_REQUIRE(outcome.status == head_status::complete);
    BOOST_TEST(outcome.size == text.size() - 4);
    BOOST_TEST((head.verb == method::put));
    BOOST_TEST(head.path == "/api/images/tenant/a%20b");
    BOOST_TEST(head.query == "x=1&y=%2F");
    BOOST_TEST(head.field_count == 6);
    BOOST_TEST(head.fields[0].value == "gallery.local:8080");
    BOOST_TEST(head.fields[4].value == "v w");
    std::vector<std::string_view> tags;
    for (std::size_t at = head.first[static_cast<std::size_t>(field::if_none_match)]; at != 0;
         at = head.fields[at - 1].next) {
        tags.push_back(head.fields[at - 1].value);
    }
    BOOST_TEST((tags == std::vector<std::string_view>{"", "\"a\"", "\"b\""}));
}

BOOST_AUTO_TEST_CASE(every_known_field_is_recognised_in_any_case) {
    for (const char* name : {"accept",
                             "Accept-Encoding",
                             "AUTHORIZATION",
                             "Connection",
                             "content-encoding",
                             "Content-Length",
                             "Content-Type",
                             "Cookie",
                             "Expect",
                             "Host",
                             "If-Match",
                             "If-Modified-Since",
                             "If-None-Match",
                             "If-Range",
                             "If-Unmodified-Since",
                             "Origin",
                             "Range",
                             "Referer",
                             "TE",
                             "Trailer",
                             "Transfer-Encoding",
                             "Upgrade",
                             "User-Agent",
                             "X-Authorization",
                             "X-Forwarded-For",
                             "X-Forwarded-Proto",
                             "X-Request-Id"}) {
        BOOST_TEST((parse_field(name) != field::other), name);
    }
    for (const char* name : {"", "a", "Hosts", "Ranges", "Acceptt", "X-Authorizatiom", "If-None-Matc"}) {
        BOOST_TEST((parse_field(name) == field::other), name);
    }
}

BOOST_AUTO_TEST_CASE(what_is_taken_and_what_is_refused) {
    const std::string long_name(40, 'A');
    const std::vector<verdict_on> cases = {
        // Request lines.
        {with(""), 0},
        {"\r\n\r\n" + with(""), 0},
        {with("", "GET /a HTTP/1.0"), 0},
        {"GET / HTTP/1.0\r\n\r\n", 0},
        {with("", "GET / HTTP/1.2"), 0},
        {with("", "GET / HTTP/2.0"), 505},
        {with("", "PRI * HTTP/2.0"), 505},
        {with("", "GET / HTTP/0.9"), 505},
        {with("", "GET / http/1.1"), 400},
        {with("", "GET / HTTP/1.11"), 400},
        {with("", "GET / HTTP/1"), 400},
        {with("", "GET / HTTPS/1.1"), 400},
        {with("", "GET /"), 400},
        {with("", "GET  / HTTP/1.1"), 400},
        {with("", "GET / HTTP/1.1 "), 400},
        {with("", "GET /a b HTTP/1.1"), 400},
        {with("", " GET / HTTP/1.1"), 400},
        {with("", "G(T / HTTP/1.1"), 400},
        {with("", long_name + " / HTTP/1.1"), 400},
        {with("", "GET /\xC3\xA4 HTTP/1.1"), 400},
        {with("", std::string("GET /\0 HTTP/1.1", 15)), 400},
        {with("", "GET /#part HTTP/1.1"), 400},
        {with("", "GET a/b HTTP/1.1"), 400},
        {with("", "GET http://other/x?y HTTP/1.1"), 0},
        {with("", "GET HTTPS://other HTTP/1.1"), 0},
        {with("", "GET http:///x HTTP/1.1"), 400},
        {with("", "GET ftp://other/x HTTP/1.1"), 400},
        {with("", "GET * HTTP/1.1"), 400},
        {with("", "OPTIONS * HTTP/1.1"), 0},
        {with("", "CONNECT a:443 HTTP/1.1"), 400},
        {with("", "CONNECT /x HTTP/1.1"), 400},
        {with("", "GET /" + std::string(8190, 'x') + " HTTP/1.1"), 0},
        {with("", "GET /" + std::string(8192, 'x') + " HTTP/1.1"), 414},
        {"GET / HTTP/1.1\nHost: a\n\n", 400},
        {"GET / HTTP/1.1\rHost: a\r\n\r\n", 400},
        // Host (RFC 9112, 3.2).
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a,b:80\r\n\r\n", 0},
        {"GET / HTTP/1.1\r\nHost: a:80:80\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a:x\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: :80\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a:\r\n\r\n", 0},
        {"GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", 0},
        {"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: []\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n", 400},
        // Lines.
        {with(" folded: x\r\n"), 400},
        {with("A: b\r\n c\r\n"), 400},
        {with("A: b\r\n\tc\r\n"), 400},
        {with("A : b\r\n"), 400},
        {with(": b\r\n"), 400},
        {with("A\r\n"), 400},
        {with("A B: c\r\n"), 400},
        {with("A:\r\n"), 0},
        {with("A: b\nC: d\r\n"), 400},
        {with("A: b\rc\r\n"), 400},
        {with(std::string("A: b\0c\r\n", 8)), 400},
        {with("A: b\x01\r\n"), 400},
        {with("A: b\x7F\r\n"), 400},
        {with("A: \xC3\xA4\xFF\tc\r\n"), 0},
        {with("A: " + std::string(16 * 1024, 'x') + "\r\n"), 431},
        // Framing (RFC 9112, 6).
        {with("Content-Length: 0\r\n"), 0},
        {with("Content-Length: 12\r\n"), 0},
        {with("Content-Length: +12\r\n"), 400},
        {with("Content-Length: -1\r\n"), 400},
        {with("Content-Length: 1 2\r\n"), 400},
        {with("Content-Length: 0x10\r\n"), 400},
        {with("Content-Length: 1,1\r\n"), 400},
        {with("Content-Length:\r\n"), 400},
        {with("Content-Length: 1\r\nContent-Length: 1\r\n"), 400},
        {with("Content-Length: 99999999999999999999\r\n"), 400},
        {with("Content-Length: 18446744073709551615\r\n"), 400},
        {with("Transfer-Encoding: chunked\r\n"), 0},
        {with("Transfer-Encoding: CHUNKED\r\n"), 0},
        {with("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n"), 400},
        {with("Transfer-Encoding: gzip\r\nContent-Length: 1\r\n"), 400},
        {with("Transfer-Encoding: gzip, chunked\r\n"), 501},
        {with("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"), 501},
        {with("Transfer-Encoding: chunked, gzip\r\n"), 400},
        {with("Transfer-Encoding: chunked, chunked\r\n"), 400},
        {with("Transfer-Encoding: identity\r\n"), 400},
        {with("Transfer-Encoding:\r\n"), 400},
        {with("Transfer-Encoding: \"chunked\"\r\n"), 400},
        {with("Transfer-Encoding: xchunked\r\n"), 400},
        {with("Transfer-Encoding: chunked\r\n", "POST / HTTP/1.0"), 400},
        // What Beast's parser would refuse or read otherwise, also where the strict parser alone reads the
        // head.
        {with("Transfer-Encoding: chunked\r\nTransfer-Encoding:\r\n"), 400},
        {with("Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n"), 400},
        {with("Connection: \r\n"), 0},
        {with("Connection: upgrade, TE,, keep-alive\r\n"), 0},
        {with("Connection: keep alive\r\n"), 400},
        {with("Connection: close;q=1\r\n"), 400},
        {with("Connection: close\r\nConnection: \"a\"\r\n"), 400},
        {with("Proxy-Connection: keep-alive\r\n"), 0},
        {with("Proxy-Connection: keep/alive\r\n"), 400},
        // Expectations.
        {with("Expect: 100-Continue\r\n"), 0},
        {with("Expect: something\r\n"), 417},
        {with("Expect: something\r\n", "GET / HTTP/1.0"), 0},
    };
    const auto head = std::make_unique<request_head>();
    for (const auto& [text, status] : cases) {
        BOOST_TEST(judge(text, *head) == status, text.substr(0, 80));
    }
}

BOOST_AUTO_TEST_CASE(too_many_fields_are_refused) {
    const auto head = std::make_unique<request_head>();
    std::string lines;
    for (int i = 0; i < 99; ++i)
        lines += "A: b\r\n";
    BOOST_TEST(judge(with(lines), *head) == 0U);
    BOOST_TEST(judge(with(lines + "A: b\r\n"), *head) == 431U);
}

BOOST_AUTO_TEST_CASE(every_prefix_of_a_head_is_incomplete) {
    const auto head = std::make_unique<request_head>();
    const auto text =
        "\r\n" + with("Accept: */*\r\nX-Authorization: Bearer " + std::string(500, 'x') + "\r\n");
    for (std::size_t size = 0; size < text.size(); ++size) {
        // In memory of exactly that size, so that the sanitizer sees a step too far.
        const std::unique_ptr<char[]> exact(new char[size]);
        text.copy(exact.get(), size);
        const auto outcome = parse_head({exact.get(), size}, {}, *head);
        BOOST_REQUIRE_MESSAGE(outcome.status == head_status::incomplete, size);
    }
    BOOST_TEST(judge(text, *head) == 0U);
}

BOOST_AUTO_TEST_CASE(a_forbidden_character_is_found_at_every_place_of_a_value) {
    const auto head = std::make_unique<request_head>();
    for (std::size_t size = 1; size < 70; ++size) {
        for (std::size_t at = 0; at < size; ++at) {
            std::string value(size, 'v');
            BOOST_REQUIRE_EQUAL(judge(with("A: " + value + "\r\n"), *head), 0U);
            for (const char bad : {'\0', '\x01', '\x1F', '\x7F', '\n', '\r'}) {
                value[at] = bad;
                BOOST_REQUIRE_EQUAL(judge(with("A: " + value + "\r\n"), *head), 400U);
            }
            std::string path(size, 'p');
            for (const char bad : {'\0', '\x01', '\x1F', '\x7F', '\x80', '\xFF', '\t'}) {
                path[at] = bad;
                BOOST_REQUIRE_EQUAL(judge(with("", "GET /" + path + " HTTP/1.1"), *head), 400U);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(what_becomes_of_the_connection) {
    const auto head = std::make_unique<request_head>();
    const auto keeps = [&](const std::string& text) {
        judge(text, *head);
        return validate_head(*head).framing.keep_alive;
    };
    BOOST_TEST(keeps(with("")));
    BOOST_TEST(!keeps(with("Connection: close\r\n")));
    BOOST_TEST(!keeps(with("Connection: keep-alive, CLOSE\r\n")));
    BOOST_TEST(!keeps(with("Connection: keep-alive\r\nConnection: close\r\n")));
    BOOST_TEST(!keeps("GET / HTTP/1.0\r\n\r\n"));
    BOOST_TEST(keeps("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"));
    BOOST_TEST(keeps(with("Connection: closed\r\n")));
    const auto expects_continue = [&](const std::string& text) {
        judge(text, *head);
        return validate_head(*head).framing.expects_continue;
    };
    BOOST_TEST(expects_continue(with("Expect: 100-continue\r\n")));
    BOOST_TEST(!expects_continue(with("Expect: 100-continue\r\n", "POST / HTTP/1.0")));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::http::test
