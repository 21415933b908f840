// SPDX-License-Identifier: Apache-2.0
// Responses in one piece, byte by byte, and split at each place.
#include "load/response_reader.hpp"

#include "boost_test.hpp"

#include <optional>
#include <string>

namespace gallery::load {

namespace {

using state = response_reader::state;

const std::string etag(64, 'a');

/// Reads @p text in parts of @p first and then @p part bytes.
struct reading {
    explicit reading(const std::string& text, std::size_t first, std::size_t part) {
        reader.begin(true, &hasher);
        std::string_view left = text;
        for (auto size = first; !left.empty(); size = part) {
            const auto now = left.substr(0, std::max<std::size_t>(size, 1));
            last = reader.feed(now);
            left.remove_prefix(now.size());
            if (last == state::done || last == state::malformed) break;
        }
        is_all = left.empty();
    }
    sha256_hasher hasher;
    response_reader reader;
    state last = state::head;
    bool is_all = false;
};

void check_all_splits(const std::string& text, int status, const std::string& body, bool keeps) {
    for (std::size_t first = 1; first <= text.size(); ++first) {
        for (const std::size_t part : {std::size_t{1}, text.size()}) {
            reading now(text, first, part);
            BOOST_TEST_REQUIRE((now.last == state::done), "split at " << first << " and " << part);
            BOOST_TEST_REQUIRE(now.is_all);
            BOOST_TEST_REQUIRE(now.reader.status() == status);
            BOOST_TEST_REQUIRE(now.reader.body() == body);
            BOOST_TEST_REQUIRE(now.reader.body_size() == body.size());
            BOOST_TEST_REQUIRE(now.reader.keeps_connection() == keeps);
            BOOST_TEST_REQUIRE(now.reader.received() == text.size());
            BOOST_TEST_REQUIRE((now.hasher.finish() == sha256(body)));
        }
    }
}

bool is_malformed(const std::string& text) {
    return reading(text, text.size(), 1).last == state::malformed &&
           reading(text, 1, 1).last == state::malformed;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(response_readers)

BOOST_AUTO_TEST_CASE(a_body_with_a_length_is_read_however_it_is_split) {
    check_all_splits("HTTP/1.1 200 OK\r\nDate: x\r\nETag: \"" + etag + "\"\r\ncontent-LENGTH: 5\r\n\r\nhello",
                     200, "hello", true);
}

BOOST_AUTO_TEST_CASE(a_304_has_no_body_whatever_its_length_says) {
    check_all_splits("HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\nConnection: close\r\n\r\n", 304, "",
                     false);
}

BOOST_AUTO_TEST_CASE(an_empty_body_ends_with_the_head) {
    check_all_splits("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 404, "", true);
}

BOOST_AUTO_TEST_CASE(a_chunked_body_is_read_however_it_is_split) {
    check_all_splits(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;x=1\r\n, world!!!\r\n0\r\nT: "
        "1\r\n\r\n",
        200, "hello, world!!!", true);
}

BOOST_AUTO_TEST_CASE(interim_responses_are_skipped) {
    check_all_splits("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, "x",
                     true);
}

BOOST_AUTO_TEST_CASE(a_body_without_a_length_ends_with_the_connection) {
    reading now("HTTP/1.0 200 OK\r\n\r\nabc", 4, 3);
    BOOST_TEST((now.last == state::body));
    BOOST_TEST((now.reader.end() == state::done));
    BOOST_TEST(now.reader.body() == "abc");
    BOOST_TEST(!now.reader.keeps_connection());
}

BOOST_AUTO_TEST_CASE(a_connection_that_ends_too_early_is_malformed) {
    reading now("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", 100, 1);
    BOOST_TEST((now.reader.end() == state::malformed));
}

BOOST_AUTO_TEST_CASE(the_hash_in_an_etag_is_found) {
    const auto tag_of = [](const std::string& value) {
        reading now("HTTP/1.1 200 OK\r\nETag: " + value + "\r\nContent-Length: 0\r\n\r\n", 500, 1);
        return now.reader.etag();
    };
    BOOST_TEST((tag_of("\"" + etag + "\"") == parse_sha256(etag)));
    BOOST_TEST((tag_of("W/\"" + etag + "\"") == parse_sha256(etag)));
    BOOST_TEST(!tag_of("\"short\"").has_value());
    BOOST_TEST(!tag_of("\"" + std::string(64, 'x') + "\"").has_value());
}

BOOST_AUTO_TEST_CASE(what_is_not_http_is_malformed) {
    BOOST_TEST(is_malformed("SSH-2.0-OpenSSH_9.2\r\n\r\n"));
    BOOST_TEST(is_malformed("HTTP/1.1 x00 OK\r\n\r\n"));
    BOOST_TEST(is_malformed("HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"));
    BOOST_TEST(is_malformed("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"));
    BOOST_TEST(is_malformed("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"));
    BOOST_TEST(is_malformed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"));
    BOOST_TEST(is_malformed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n"));
    BOOST_TEST(is_malformed("HTTP/1.1 200 OK\r\n" + std::string(10'000, 'x')));
}

BOOST_AUTO_TEST_CASE(bytes_behind_the_end_are_malformed) {
    const std::string two = "HTTP/1.1 304 Not Modified\r\n\r\nHTTP/1.1 304 Not Modified\r\n\r\n";
    BOOST_TEST((reading(two, two.size(), 1).last == state::malformed));
}

BOOST_AUTO_TEST_CASE(a_reader_is_used_for_many_responses) {
    response_reader reader;
    reader.begin(false, nullptr);
    BOOST_TEST((reader.feed("HTTP/1.1 200 OK\r\nETag: \"" + etag +
                            "\"\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc") == state::done));
    reader.begin(true, nullptr);
    BOOST_TEST((reader.feed("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n") == state::done));
    BOOST_TEST(reader.status() == 500);
    BOOST_TEST(!reader.etag().has_value());
    BOOST_TEST(reader.keeps_connection());
    BOOST_TEST(reader.body().empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::load
