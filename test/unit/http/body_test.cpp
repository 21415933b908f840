// SPDX-License-Identifier: Apache-2.0
// Request bodies over real sockets: lengths, chunks, 100-continue, limits, what is left unread.
#include "boost_test.hpp"
#include "support.hpp"

#include "http/errors.hpp"
#include "http/multipart.hpp"
#include "http/request_input.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace gallery::http::test {

namespace {

void takers(router& routes) {
    routes.add(method::post, "/echo",
               [](request& message) -> task<result<response>> {
                   auto content = co_await message.body().read_all(1 << 20);
                   if (!content) co_return content.error();
                   auto out = response::text(200, std::move(*content));
                   out.add("X-Query", message.query());  // the head is still there
                   co_return out;
               },
               {.name = "echo", .body_limit = 1 << 20});
    routes.add(method::post, "/count",
               [](request& message) -> task<result<response>> {
                   std::uint64_t bytes = 0;
                   for (;;) {
                       auto piece = co_await message.body().read_some();
                       if (!piece) co_return piece.error();
                       if (piece->empty()) break;
                       bytes += piece->size();
                   }
                   co_return response::text(200, std::to_string(bytes));
               },
               {.name = "count", .body_limit = 64 << 20});
    routes.add(method::post, "/refuse", always([](request&) {
                   return error_response({errc::unauthenticated, "no"});
               }),
               {.name = "refuse", .body_limit = 64 << 20});
    routes.add(method::delete_, "/thing", always([](request&) { return response::text(200, "gone"); }));
    routes.add(method::get, "/hello", always([](request&) { return response::text(200, "hello"); }));
    routes.add(method::post, "/form",
               [](request& message) -> task<result<response>> {
                   auto parser = multipart_parser::create(message.header(field::content_type));
                   if (!parser) co_return parser.error();
                   multipart_reader reader(message.body(), std::move(*parser));
                   std::string told;
                   for (;;) {
                       auto event = co_await reader.next();
                       if (!event) co_return event.error();
                       if (*event == multipart_event::end) break;
                       if (*event == multipart_event::part) told += "[" + reader.part().name + "]";
                       if (*event == multipart_event::data)
                           told.append(reader.data().data(), reader.data().size());
                   }
                   co_return response::text(200, told);
               },
               {.name = "form", .body_limit = 1 << 20});
}

std::string post(std::string_view path, std::string_view body, std::string_view lines = "") {
    return "POST " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(lines) +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

std::string post_chunked(std::string_view path, std::string_view chunks, std::string_view lines = "") {
    return "POST " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(lines) +
           "Transfer-Encoding: chunked\r\n\r\n" + std::string(chunks);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(bodies)

BOOST_AUTO_TEST_CASE(a_body_of_known_length_arrives_whole_and_the_next_request_behind_it) {
    running_server server(takers);
    client c(server.port());
    c.send(post("/echo?q=1", "first") + post("/echo?q=2", "") + post("/echo?q=3", std::string(300'000, 'z')));
    auto got = c.receive();
    BOOST_REQUIRE(got);
    BOOST_TEST(got->body == "first");
    BOOST_TEST(got->header("X-Query") == "q=1");
    got = c.receive();
    BOOST_REQUIRE(got);
    BOOST_TEST(got->body == "");
    got = c.receive();
    BOOST_REQUIRE(got);
    BOOST_TEST((got->body == std::string(300'000, 'z')));
    BOOST_TEST(got->header("X-Query") == "q=3");
}

BOOST_AUTO_TEST_CASE(a_chunked_body_arrives_whole_however_it_is_cut) {
    running_server server(takers);
    client c(server.port());
    const std::string text = post_chunked(
        "/echo", "5\r\nhello\r\n1;ext=\"v\"\r\n \r\nA\r\n0123456789\r\n0\r\nX-Trailer: t\r\n\r\n");
    for (std::size_t at = 1; at < text.size(); ++at) {
        c.send(std::string_view(text).substr(0, at));
        if (at % 4 == 0) client(server.port()).ask(get("/hello"));
        const auto got = c.ask(std::string_view(text).substr(at));
        BOOST_REQUIRE_EQUAL(got.body, "hello 0123456789");
    }
}

BOOST_AUTO_TEST_CASE(a_chunked_body_without_chunks_is_empty_however_it_is_cut) {
    running_server server(takers);
    client c(server.port());
    const std::string text = post_chunked("/echo", "0\r\n\r\n");
    for (std::size_t at = text.size() - 5; at < text.size(); ++at) {
        c.send(std::string_view(text).substr(0, at));
        if (at % 2 == 0) client(server.port()).ask(get("/hello"));
        const auto got = c.ask(std::string_view(text).substr(at));
        BOOST_REQUIRE_EQUAL(got.status, 200U);
        BOOST_REQUIRE_EQUAL(got.body, "");
    }
}

BOOST_AUTO_TEST_CASE(requests_behind_a_chunked_body_are_not_lost) {
    running_server server(takers);
    client c(server.port());
    std::string all;
    for (int i = 0; i < 50; ++i) {
        std::string chunk(static_cast<std::size_t>(i) * 331 + 1, static_cast<char>('a' + i % 26));
        char size[16];
        std::snprintf(size, sizeof size, "%zx\r\n", chunk.size());
        all += post_chunked("/count", size + chunk + "\r\n0\r\n\r\n") + get("/hello");
    }
    c.send(all);
    for (int i = 0; i < 50; ++i) {
        auto got = c.receive();
        BOOST_REQUIRE(got);
        BOOST_REQUIRE_EQUAL(got->body, std::to_string(i * 331 + 1));
        got = c.receive();
        BOOST_REQUIRE(got);
        BOOST_REQUIRE_EQUAL(got->body, "hello");
    }
}

BOOST_AUTO_TEST_CASE(malformed_chunks_are_a_400_and_the_end_of_the_connection) {
    running_server server(takers);
    const std::string cases[] = {
        "x\r\nhello\r\n0\r\n\r\n", "5\r\nhelloX\r\n0\r\n\r\n", "FFFFFFFFFFFFFFFFF\r\n",
        "5 \nhello\r\n0\r\n\r\n", "-1\r\n\r\n", std::string(20'000, '0'),
        // Ends that leave a lenient reader waiting for more.
        "0\r\n\n", "0\n\n", "0\r\nX: a\n\r\n", "0\r\nX: a\rb", "0\r\nX a\r\n", "0\r\n X: a\r\n", "0\r\n\rX",
        "0;a=\"b\r\n\r\n", "5;a=\"b\nc\"\r\nhello\r\n0\r\n\r\n", "5\r\nhello\n", "5\r\nhello\rX",
        "5;a=\"" + std::string(5'000, 'b'), "0\r\nX: " + std::string(5'000, 'b')};
    for (const auto& chunks : cases) {
        client c(server.port());
        const auto got = c.ask(post_chunked("/echo", chunks));
        BOOST_TEST(got.status == 400U, chunks.substr(0, 30));
        BOOST_TEST(got.header("Connection") == "close");
    }
}

BOOST_AUTO_TEST_CASE(every_byte_of_a_chunks_line_and_of_a_trailer_is_checked) {
    running_server server(takers);
    for (int octet = 0; octet < 256; ++octet) {
        const std::string byte(1, static_cast<char>(octet));
        const bool text = octet == '\t' || (octet >= 0x20 && octet != 0x7F);
        const bool token = is_token(byte);
        const bool blank = octet == ' ' || octet == '\t';
        const std::pair<std::string, bool> cases[] = {
            {"5;a=\"b" + byte + "c\"\r\nhello\r\n0\r\n\r\n", text && octet != '"'},
            {"5;a=\"b\\" + byte + "c\"\r\nhello\r\n0\r\n\r\n", text},
            {"5;" + byte + "x\r\nhello\r\n0\r\n\r\n", token || blank},
            {"5;x=" + byte + "x\r\nhello\r\n0\r\n\r\n", token || blank},
            {"0;x=\"" + byte + "\"\r\n\r\n", text && octet != '"' && octet != '\\'},
            {"0\r\nX: a" + byte + "b\r\n\r\n", text},
            {"0\r\nX" + byte + "b: c\r\n\r\n", token || octet == ':'},
        };
        for (const auto& [chunks, allowed] : cases) {
            client c(server.port());
            const auto got = c.ask(post_chunked("/echo", chunks));
            BOOST_TEST(got.status == (allowed ? 200U : 400U), "byte " << octet << " in " << chunks);
        }
    }
}

BOOST_AUTO_TEST_CASE(trailers_say_nothing_about_the_body) {
    running_server server(takers);
    client c(server.port());
    const auto got = c.ask(post_chunked(
        "/echo",
        "5\r\nhello\r\n0\r\nContent-Length: 100\r\nTransfer-Encoding: gzip\r\nConnection: close\r\n\r\n"));
    BOOST_TEST(got.status == 200U);
    BOOST_TEST(got.body == "hello");
    BOOST_TEST(c.ask(get("/hello")).body == "hello");
}

BOOST_AUTO_TEST_CASE(a_body_that_is_mostly_extensions_is_refused) {
    running_server server(takers);
    client c(server.port());
    std::string chunks;
    for (int i = 0; i < 16; ++i)
        chunks += "1;x=" + std::string(2'000, 'y') + "\r\na\r\n";
    BOOST_TEST(c.ask(post_chunked("/echo", chunks + "0\r\n\r\n")).status == 400U);
    client honest(server.port());
    std::string small;
    for (int i = 0; i < 20'000; ++i)
        small += "1;x=yz\r\na\r\n";
    BOOST_TEST(honest.ask(post_chunked("/count", small + "0\r\n\r\n")).body == "20000");
}

BOOST_AUTO_TEST_CASE(a_body_over_the_limit_is_refused_before_it_is_read) {
    running_server server(takers);
    client c(server.port());
    // The body never comes, the answer does.
    const auto got = c.ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n");
    BOOST_TEST(got.status == 413U);
    BOOST_TEST(got.header("Connection") == "close");
    c.end_writing();
    BOOST_TEST(c.at_end());
}

BOOST_AUTO_TEST_CASE(a_client_that_goes_on_sending_still_sees_the_413) {
    running_server server(takers);
    client c(server.port());
    c.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 33554432\r\n\r\n");
    const std::string block(65536, 'x');
    for (int i = 0; i < 64; ++i)
        c.send(block);
    const auto got = c.receive();
    BOOST_REQUIRE(got);
    BOOST_TEST(got->status == 413U);
}

BOOST_AUTO_TEST_CASE(a_chunked_body_over_the_limit_is_refused_while_it_arrives) {
    running_server server(takers);
    client c(server.port());
    c.send(post_chunked("/echo", ""));
    const std::string chunk = "10000\r\n" + std::string(65536, 'x') + "\r\n";
    for (int i = 0; i < 17; ++i)
        c.send(chunk);
    const auto got = c.receive();
    BOOST_REQUIRE(got);
    BOOST_TEST(got->status == 413U);
}

BOOST_AUTO_TEST_CASE(continue_is_sent_when_the_handler_reads_and_not_before) {
    running_server server(takers);
    client c(server.port());
    c.send("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    auto got = c.receive();
    BOOST_REQUIRE(got);
    BOOST_TEST(got->status == 100U);
    BOOST_TEST(c.ask("hello").body == "hello");

    c.send("POST /refuse HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    got = c.receive();
    BOOST_REQUIRE(got);
    BOOST_TEST(got->status == 401U);  // without a 100 in front of it
    BOOST_TEST(got->header("Connection") == "close");

    client over(server.port());
    over.send("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n");
    got = over.receive();
    BOOST_REQUIRE(got);
    BOOST_TEST(got->status == 413U);
}

BOOST_AUTO_TEST_CASE(continue_is_not_sent_to_http_1_0) {
    running_server server(takers);
    client c(server.port());
    c.send("POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    const auto got = c.ask("hello");
    BOOST_TEST(got.status == 200U);
    BOOST_TEST(got.body == "hello");
}

BOOST_AUTO_TEST_CASE(a_small_body_that_nobody_wants_does_not_end_the_connection) {
    running_server server(takers);
    client c(server.port());
    auto got = c.ask(
        "DELETE /thing HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: "
        "2\r\n\r\n{}");
    BOOST_TEST(got.body == "gone");
    got =
        c.ask("DELETE /thing HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n");
    BOOST_TEST(got.body == "gone");
    got = c.ask(post("/refuse", std::string(100'000, 'x')));
    BOOST_TEST(got.status == 401U);
    BOOST_TEST(got.header("Connection") == "");
    got = c.ask(post("/nowhere", std::string(1000, 'x')));
    BOOST_TEST(got.status == 404U);
    BOOST_TEST(c.ask(get("/hello")).body == "hello");
    got = c.ask("DELETE /thing HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n");
    BOOST_TEST(got.status == 413U);
}

BOOST_AUTO_TEST_CASE(a_body_that_ends_early_leaves_the_server_well) {
    running_server server(takers);
    {
        client c(server.port());
        c.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nhello");
        c.end_writing();
        const auto got = c.receive();
        BOOST_REQUIRE(got);
        BOOST_TEST(got->status == 400U);
    }
    {
        client c(server.port());
        c.send(post_chunked("/echo", "5\r\nhel"));
        c.end_writing();
        const auto got = c.receive();
        BOOST_REQUIRE(got);
        BOOST_TEST(got->status == 400U);
    }
    BOOST_TEST(client(server.port()).ask(get("/hello")).body == "hello");
}

BOOST_AUTO_TEST_CASE(a_large_body_streams_through) {
    running_server server(takers);
    client c(server.port());
    c.send("POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 33554432\r\n\r\n");
    const std::string block(1 << 20, 'x');
    for (int i = 0; i < 32; ++i)
        c.send(block);
    const auto got = c.receive();
    BOOST_REQUIRE(got);
    BOOST_TEST(got->body == "33554432");
}

BOOST_AUTO_TEST_CASE(a_form_is_read_from_a_chunked_body) {
    running_server server(takers);
    client c(server.port());
    const std::string form =
        "--b\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nA title\r\n"
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.png\"\r\nContent-Type: "
        "image/png\r\n\r\n"
        "bytes\r\n--b--\r\n";
    char size[16];
    std::snprintf(size, sizeof size, "%zx\r\n", form.size());
    auto got = c.ask(post_chunked("/form", size + form + "\r\n0\r\n\r\n",
                                  "Content-Type: multipart/form-data; boundary=b\r\n"));
    BOOST_TEST(got.body == "[title]A title[file]bytes");
    got = c.ask(
        post("/form", form.substr(0, form.size() - 8), "Content-Type: multipart/form-data; boundary=b\r\n"));
    BOOST_TEST(got.status == 400U);
    got = c.ask(post("/form", "{}", "Content-Type: application/json\r\n"));
    BOOST_TEST(got.status == 415U);
}

// An unfinished line of the chunked coding and a whole read behind it are more than the read buffer takes.
BOOST_AUTO_TEST_CASE(nothing_follows_a_body_that_did_not_end) {
    constexpr head_limits limits{4096, 1024};
    request_input input(limits.head_bytes);
    const auto arrive = [](std::span<char> room, std::string_view bytes) {
        BOOST_REQUIRE_GE(room.size(), bytes.size());
        std::memcpy(room.data(), bytes.data(), bytes.size());
    };
    const std::string text =
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(4000, 'a');
    arrive(input.room(), text);
    input.add(text.size());
    request_head head;
    BOOST_REQUIRE(input.take_head(limits, head).status == head_status::complete);
    BOOST_REQUIRE(!input.begin_request(head).error);
    BOOST_REQUIRE(input.next_of_body().what == request_parser::step::need_more);

    input.lend(std::make_unique_for_overwrite<char[]>(body_block));
    const auto room = input.body_room();
    std::fill(room.begin(), room.end(), 'B');
    room[0] = '\x01';
    input.add_to_body(room.size());
    BOOST_TEST((input.next_of_body().what == request_parser::step::broken));
    BOOST_TEST((input.return_block() != nullptr));
    BOOST_TEST(input.unused() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::http::test
