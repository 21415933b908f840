// SPDX-License-Identifier: Apache-2.0
// Conditions and ranges: RFC 9110, sections 13 and 14.
#include "boost_test.hpp"
#include "support.hpp"

#include "http/conditional.hpp"
#include "http/http_date.hpp"
#include "http/range.hpp"
#include "http/serve_bytes.hpp"

#include <string>
#include <vector>

namespace gallery::http::test {

namespace {
constexpr std::int64_t birthday = 784111777;  // Sun, 06 Nov 1994 08:49:37 GMT
}

BOOST_AUTO_TEST_SUITE(conditions)

BOOST_AUTO_TEST_CASE(a_line_lists_an_etag) {
    struct {
        const char* line;
        const char* etag;
        bool weakly, strongly;
    } const cases[] = {
        {"\"a\"", "a", true, true},
        {"W/\"a\"", "a", true, false},
        {"\"b\"", "a", false, false},
        {"\"a\", \"b\"", "b", true, true},
        {"\"a\",\"b\" , W/\"c\"", "c", true, false},
        {",, \"a\" ,,", "a", true, true},
        {"\"x,y\", \"z\"", "x,y", true, true},
        {"\"x,y\", \"z\"", "y", false, false},
        {"\"x,y\", \"z\"", "z", true, true},
        {"*", "a", true, true},
        {"*", "", false, false},
        {"\"a\" \"b\"", "b", false, false},
        {"\"a\" \"b\"", "a", false, false},
        {"\"a", "a", false, false},
        {"\"", "", false, false},
        {"\"\"", "a", false, false},
        {"a", "a", true, true},
        {"a, b", "b", true, true},
        {"w/\"a\"", "a", false, false},
        {"W/a", "a", false, false},
        {"W/", "a", false, false},
        {"\"a\"x", "a", false, false},
        {"\"A\"", "a", false, false},
        {"   ", "a", false, false},
        {"*, \"a\"", "a", true, true},
        {"\t\"a\"\t", "a", true, true},
    };
    for (const auto& c : cases) {
        BOOST_TEST(lists_etag(c.line, c.etag, false) == c.weakly, c.line);
        BOOST_TEST(lists_etag(c.line, c.etag, true) == c.strongly, c.line);
    }
}

BOOST_AUTO_TEST_CASE(conditions_are_evaluated_in_the_order_of_the_rfc) {
    const auto later = "Mon, 07 Nov 1994 08:49:37 GMT";
    const auto earlier = "Sat, 05 Nov 1994 08:49:37 GMT";
    const auto same = "Sun, 06 Nov 1994 08:49:37 GMT";
    struct {
        std::string lines;
        const char* start;
        verdict expected;
    } const cases[] = {
        {"", "GET / HTTP/1.1", verdict::proceed},
        {"If-None-Match: \"e\"\r\n", "GET / HTTP/1.1", verdict::not_modified},
        {"If-None-Match: W/\"e\"\r\n", "HEAD / HTTP/1.1", verdict::not_modified},
        {"If-None-Match: \"x\"\r\nIf-None-Match: \"e\"\r\n", "GET / HTTP/1.1", verdict::not_modified},
        {"If-None-Match: \"x\"\r\n", "GET / HTTP/1.1", verdict::proceed},
        {"If-None-Match: *\r\n", "GET / HTTP/1.1", verdict::not_modified},
        {"If-None-Match: *\r\n", "PUT / HTTP/1.1", verdict::precondition_failed},
        {"If-None-Match: \"e\"\r\n", "DELETE / HTTP/1.1", verdict::precondition_failed},
        {"If-None-Match:\r\n", "GET / HTTP/1.1", verdict::proceed},
        // If-None-Match wins over If-Modified-Since, also when it does not match; empty is absent.
        {std::string("If-None-Match: \"x\"\r\nIf-Modified-Since: ") + later + "\r\n", "GET / HTTP/1.1",
         verdict::proceed},
        {std::string("If-None-Match:\r\nIf-Modified-Since: ") + later + "\r\n", "GET / HTTP/1.1",
         verdict::not_modified},
        {std::string("If-Modified-Since: ") + same + "\r\n", "GET / HTTP/1.1", verdict::not_modified},
        {std::string("If-Modified-Since: ") + earlier + "\r\n", "GET / HTTP/1.1", verdict::proceed},
        {std::string("If-Modified-Since: ") + later + "\r\n", "PUT / HTTP/1.1", verdict::proceed},
        {"If-Modified-Since: yesterday\r\n", "GET / HTTP/1.1", verdict::proceed},
        {"If-Match: \"e\"\r\n", "PUT / HTTP/1.1", verdict::proceed},
        {"If-Match: W/\"e\"\r\n", "PUT / HTTP/1.1", verdict::precondition_failed},
        {"If-Match: \"x\", \"e\"\r\n", "DELETE / HTTP/1.1", verdict::proceed},
        {"If-Match: \"x\"\r\n", "GET / HTTP/1.1", verdict::precondition_failed},
        {"If-Match: *\r\n", "PUT / HTTP/1.1", verdict::proceed},
        {"If-Match:\r\n", "PUT / HTTP/1.1", verdict::proceed},
        {"If-Match: \"\r\n", "PUT / HTTP/1.1", verdict::precondition_failed},
        // If-Match wins over If-Unmodified-Since, and both come before If-None-Match.
        {std::string("If-Match: \"e\"\r\nIf-Unmodified-Since: ") + earlier + "\r\n", "PUT / HTTP/1.1",
         verdict::proceed},
        {std::string("If-Unmodified-Since: ") + earlier + "\r\n", "PUT / HTTP/1.1",
         verdict::precondition_failed},
        {std::string("If-Unmodified-Since: ") + same + "\r\n", "PUT / HTTP/1.1", verdict::proceed},
        {"If-Match: \"x\"\r\nIf-None-Match: \"e\"\r\n", "GET / HTTP/1.1", verdict::precondition_failed},
    };
    for (const auto& c : cases) {
        const parsed_request message(c.lines, c.start);
        BOOST_TEST((evaluate_conditions(message, "e", birthday) == c.expected), c.lines);
    }
    // Nothing there: "*" finds nothing.
    BOOST_TEST((evaluate_conditions(parsed_request("If-Match: *\r\n"), "") == verdict::precondition_failed));
    BOOST_TEST((evaluate_conditions(parsed_request("If-None-Match: *\r\n"), "") == verdict::proceed));
    BOOST_TEST(!if_match_holds(parsed_request("If-Match: \"x\"\r\n"), "e"));
    BOOST_TEST(if_match_holds(parsed_request(""), "e"));
    BOOST_TEST(if_none_match_hits(parsed_request("If-None-Match: \"x\", W/\"e\"\r\n"), "e"));
}

BOOST_AUTO_TEST_CASE(dates_are_read_in_all_three_formats_and_written_in_one) {
    const std::int64_t now = 1'700'000'000;  // 2023
    BOOST_TEST(http_date(birthday) == "Sun, 06 Nov 1994 08:49:37 GMT");
    BOOST_TEST(http_date(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
    BOOST_TEST(http_date(951782400) == "Tue, 29 Feb 2000 00:00:00 GMT");
    for (const char* text :
         {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"}) {
        BOOST_TEST((parse_http_date(text, now) == birthday), text);
    }
    BOOST_TEST(
        (parse_http_date("Monday, 01-Jan-30 00:00:00 GMT", now) == 1893456000));  // ahead, but not by 50
    for (const char* text : {"", "Sun", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37",
                             "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT",
                             "Sun, 06 Nov 1994 08:49:37 GMT ", "Sonntag, 06-Nov-94 08:49:37 GMT",
                             "Sun, 06 Nov 1994 08:49:37 UTC", "784111777", "Sun, 06 nov 1994 08:49:37 GMT"}) {
        BOOST_TEST(!parse_http_date(text, now).has_value(), text);
    }
    for (std::int64_t at = 0; at < 4'000'000'000; at += 86'399 * 97) {
        BOOST_REQUIRE(parse_http_date(http_date(at), now) == at);
    }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(ranges)

BOOST_AUTO_TEST_CASE(a_range_selects_a_part_the_whole_or_nothing) {
    constexpr range_choice whole;
    constexpr range_choice none{range_kind::unsatisfiable, {}};
    const auto part = [](std::uint64_t first, std::uint64_t length) {
        return range_choice{range_kind::part, {first, length}};
    };
    struct {
        const char* value;
        std::uint64_t size;
        range_choice expected;
    } const cases[] = {
        {"bytes=0-499", 10000, part(0, 500)},
        {"bytes=500-999", 10000, part(500, 500)},
        {"bytes=-500", 10000, part(9500, 500)},
        {"bytes=9500-", 10000, part(9500, 500)},
        {"bytes=0-0", 10000, part(0, 1)},
        {"bytes=9999-9999", 10000, part(9999, 1)},
        {"bytes=0-99999", 10000, part(0, 10000)},
        {"bytes=0-18446744073709551615", 10, part(0, 10)},
        {"bytes=0-99999999999999999999999", 10, part(0, 10)},
        {"bytes=-99999999999999999999999", 10, part(0, 10)},
        {"bytes=99999999999999999999999-", 10, none},
        {"bytes=-20000", 10000, part(0, 10000)},
        {"BYTES=1-2", 10, part(1, 2)},
        {"bytes= 1-2 ", 10, part(1, 2)},
        {"bytes=,1-2,", 10, part(1, 2)},
        {"bytes=10000-", 10000, none},
        {"bytes=10000-10001", 10000, none},
        {"bytes=-0", 10000, none},
        {"bytes=0-", 0, none},
        {"bytes=-1", 0, none},
        // Several, malformed, other units: the whole.
        {"bytes=0-0,-1", 10000, whole},
        {"bytes=0-1,5-6", 10000, whole},
        {"bytes=2-1", 10000, whole},
        {"bytes=", 10000, whole},
        {"bytes=-", 10000, whole},
        {"bytes=a-b", 10000, whole},
        {"bytes=1", 10000, whole},
        {"bytes=1-2x", 10000, whole},
        {"bytes=1 -2", 10000, whole},
        {"bytes=+1-2", 10000, whole},
        {"bytes=--2", 10000, whole},
        {"bytes 1-2", 10000, whole},
        {"items=1-2", 10000, whole},
        {"", 10000, whole},
        {"=1-2", 10000, whole},
    };
    for (const auto& c : cases)
        BOOST_TEST((parse_range(c.value, c.size) == c.expected), c.value);
    BOOST_TEST(content_range({500, 500}, 10000) == "bytes 500-999/10000");
    BOOST_TEST(content_range_unsatisfied(10000) == "bytes */10000");
}

BOOST_AUTO_TEST_CASE(if_range_guards_the_range) {
    const auto kind = [](std::string_view lines, const char* start = "GET / HTTP/1.1") {
        return choose_range(parsed_request(lines, start), 100, "e", birthday).kind;
    };
    BOOST_TEST((kind("Range: bytes=0-1\r\n") == range_kind::part));
    BOOST_TEST((kind("Range: bytes=0-1\r\n", "HEAD / HTTP/1.1") == range_kind::whole));
    BOOST_TEST((kind("Range: bytes=0-1\r\nRange: bytes=2-3\r\n") == range_kind::whole));
    BOOST_TEST((kind("Range: bytes=0-1\r\nIf-Range: \"e\"\r\n") == range_kind::part));
    BOOST_TEST((kind("Range: bytes=0-1\r\nIf-Range: W/\"e\"\r\n") == range_kind::whole));
    BOOST_TEST((kind("Range: bytes=0-1\r\nIf-Range: \"x\"\r\n") == range_kind::whole));
    BOOST_TEST((kind("Range: bytes=0-1\r\nIf-Range: \"e\", \"x\"\r\n") == range_kind::whole));
    BOOST_TEST((kind("Range: bytes=0-1\r\nIf-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n") == range_kind::part));
    BOOST_TEST(
        (kind("Range: bytes=0-1\r\nIf-Range: Sun, 06 Nov 1994 08:49:38 GMT\r\n") == range_kind::whole));
    BOOST_TEST((kind("Range: bytes=0-1\r\nIf-Range: nonsense\r\n") == range_kind::whole));
    BOOST_TEST((kind("Range: bytes=0-1\r\nIf-Range:\r\n") == range_kind::part));
    BOOST_TEST((kind("Range: bytes=100-\r\nIf-Range: \"x\"\r\n") == range_kind::whole));
    BOOST_TEST((kind("Range: bytes=100-\r\n") == range_kind::unsatisfiable));
}

BOOST_AUTO_TEST_CASE(a_representation_is_served_with_exactly_its_headers) {
    const auto content = gallery::bytes::permanent("0123456789");
    const representation facts{.etag = "e",
                               .media_type = "image/png",
                               .size = 10,
                               .cache_control = "private, no-cache",
                               .vary = "Accept-Encoding",
                               .content_encoding = "br",
                               .last_modified = birthday,
                               .prepared = "X-Extra: 1\r\n"};
    auto got = serve_bytes(parsed_request(""), facts, content);
    BOOST_TEST(got.status() == 200U);
    BOOST_TEST(got.fields() ==
               "Content-Type: image/png\r\nETag: \"e\"\r\nCache-Control: private, no-cache\r\nVary: "
               "Accept-Encoding\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nAccept-Ranges: "
               "bytes\r\nContent-Encoding: br\r\nX-Extra: 1\r\n");
    BOOST_TEST(got.content().size() == 10U);

    got = serve_bytes(parsed_request("Range: bytes=-3\r\n"), facts, content);
    BOOST_TEST(got.status() == 206U);
    BOOST_TEST(got.header("Content-Range") == "bytes 7-9/10");
    BOOST_TEST(got.content().memory()->view() == "789");

    got = serve_bytes(parsed_request("Range: bytes=10-\r\n"), facts, content);
    BOOST_TEST(got.status() == 416U);
    BOOST_TEST(got.header("Content-Range") == "bytes */10");

    got = serve_bytes(parsed_request("If-None-Match: \"e\"\r\nRange: bytes=0-1\r\n"), facts, content);
    BOOST_TEST(got.status() == 304U);
    BOOST_TEST(
        got.fields() ==
        "ETag: \"e\"\r\nCache-Control: private, no-cache\r\nVary: Accept-Encoding\r\nLast-Modified: Sun, 06 "
        "Nov 1994 08:49:37 GMT\r\n");
    BOOST_TEST(got.content().size() == 0U);

    got = serve_bytes(parsed_request("If-Match: \"x\"\r\n"), facts, content);
    BOOST_TEST(got.status() == 412U);
    BOOST_TEST(got.content().memory()->view().find("\"errorCode\":35") != std::string_view::npos);

    response hot;
    BOOST_TEST(!try_not_modified(parsed_request(""), facts, hot));
    BOOST_TEST(!try_not_modified(parsed_request("If-None-Match: \"x\"\r\n"), facts, hot));
    BOOST_TEST(!try_not_modified(parsed_request("If-None-Match: \"e\"\r\n", "PUT / HTTP/1.1"), facts, hot));
    BOOST_TEST(hot.fields().empty());
    BOOST_TEST(try_not_modified(parsed_request("If-None-Match: \"e\"\r\n"), facts, hot));
    BOOST_TEST(hot.status() == 304U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::http::test
