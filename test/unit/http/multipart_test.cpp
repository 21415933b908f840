// SPDX-License-Identifier: Apache-2.0
// multipart/form-data: RFC 7578 and RFC 2046, fed in pieces of every size.
#include "boost_test.hpp"

#include "http/multipart.hpp"

#include <memory>
#include <string>
#include <vector>

namespace gallery::http::test {

namespace {

struct outcome {
    std::string told;  // "name|file|type=content;" for each part, "!" + message for an error
    bool ended = false;
};

outcome read(std::string_view body, std::size_t piece, std::string_view boundary = "BOUND",
             multipart_limits limits = {}) {
    outcome out;
    auto parser =
        multipart_parser::create("multipart/form-data; boundary=\"" + std::string(boundary) + "\"", limits);
    BOOST_REQUIRE(parser);
    for (std::size_t at = 0; at < body.size(); at += piece) {
        const auto size = std::min(piece, body.size() - at);
        const std::unique_ptr<char[]> exact(new char[size]);  // a step too far is seen by the sanitizer
        body.copy(exact.get(), size, at);
        parser->feed({exact.get(), size});
        for (;;) {
            const auto event = parser->next();
            if (!event) {
                out.told = "!" + event.error().message;
                return out;
            }
            if (*event == multipart_event::need_more) break;
            const auto& part = parser->part();
            if (*event == multipart_event::part) {
                out.told += part.name + "|" + part.file_name.value_or("-") + "|" + part.content_type + "=";
            } else if (*event == multipart_event::data) {
                BOOST_REQUIRE(!parser->data().empty());
                out.told.append(parser->data().data(), parser->data().size());
            } else if (*event == multipart_event::part_end) {
                out.told += ";";
            } else {
                out.ended = true;
            }
        }
    }
    const auto complete = parser->finish();
    if (!complete) out.told = "!" + complete.error().message;
    BOOST_TEST(static_cast<bool>(complete) == out.ended);
    return out;
}

void same_in_all_pieces(const std::string& body, const std::string& expected, multipart_limits limits = {}) {
    for (std::size_t piece = 1; piece <= body.size() + 1; ++piece) {
        const auto got = read(body, piece, "BOUND", limits);
        BOOST_REQUIRE_MESSAGE(got.told == expected,
                              "in pieces of " << piece << ": '" << got.told << "', not '" << expected << "'");
    }
}

const std::string file_head =
    "Content-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\nContent-Type: "
    "image/png\r\n\r\n";
const std::string title_head = "Content-Disposition: form-data; name=\"title\"\r\n\r\n";

}  // namespace

BOOST_AUTO_TEST_SUITE(multipart)

BOOST_AUTO_TEST_CASE(parts_come_in_any_order_and_any_pieces) {
    same_in_all_pieces(
        "--BOUND\r\n" + file_head + "bytes\r\n--BOUND\r\n" + title_head + "A title\r\n--BOUND--\r\n",
        "file|a.png|image/png=bytes;title|-|=A title;");
    same_in_all_pieces("--BOUND\r\n" + title_head + "T\r\n--BOUND\r\n" + file_head + "b\r\n--BOUND--",
                       "title|-|=T;file|a.png|image/png=b;");
    same_in_all_pieces("--BOUND\r\n" + title_head + "1\r\n--BOUND\r\n" + title_head + "2\r\n--BOUND--\r\n",
                       "title|-|=1;title|-|=2;");
}

BOOST_AUTO_TEST_CASE(content_that_looks_like_a_boundary_is_content) {
    const std::string tricky = "\r\n--BOUN\r\n-BOUND\r\r\n\n--BOUND\r\n\r\n--BOU\r\n--\r\n-\r\n\r\r\n";
    same_in_all_pieces("--BOUND\r\n" + file_head + tricky + "\r\n--BOUND--\r\n",
                       "file|a.png|image/png=" + tricky + ";");
}

BOOST_AUTO_TEST_CASE(preamble_epilogue_padding_and_empty_parts) {
    same_in_all_pieces(
        "preamble\r\n--BOUN no\r\n--BOUND \t\r\n" + title_head + "\r\n--BOUND--epilogue --BOUND",
        "title|-|=;");
    same_in_all_pieces("--BOUND\r\n" + title_head + "--BOUND--", "title|-|=;");
    same_in_all_pieces("\r\n--BOUND--\r\n", "");
}

BOOST_AUTO_TEST_CASE(what_is_malformed_is_refused) {
    const auto error_of = [](const std::string& body) { return read(body, body.size()).told.substr(0, 1); };
    for (const std::string& body :
         {std::string("no boundary at all"), std::string("--BOUND\r\n"), "--BOUND\r\n" + file_head + "cut",
          "--BOUND\r\n" + file_head + "cut\r\n--BOUND", "--BOUND\r\n" + file_head + "cut\r\n--BOUND-",
          "--BOUND\r\n" + file_head + "x\r\n--BOUNDx\r\n", std::string("--BOUND\r\n\r\nno head\r\n--BOUND--"),
          std::string("--BOUND\r\nContent-Type: a/b\r\n\r\nx\r\n--BOUND--"),
          std::string("--BOUND\r\nContent-Disposition: attachment; name=\"f\"\r\n\r\nx\r\n--BOUND--"),
          std::string(
              "--BOUND\r\nContent-Disposition: form-data; name=\"f\"\r\nContent-Disposition: form-data; "
              "name=\"g\"\r\n\r\nx\r\n--BOUND--"),
          std::string("--BOUND\r\nno colon\r\n\r\nx\r\n--BOUND--"),
          std::string(
              "--BOUND\r\nContent-Disposition: form-data; name=\"f\"\r\n folded: x\r\n\r\nx\r\n--BOUND--"),
          std::string("--BOUND\r\nContent-Disposition: form-data; name=\"\xFF\"\r\n\r\nx\r\n--BOUND--"),
          std::string("--BOUND\r\nContent-Disposition: form-data; name=\"f\"\nX: y\r\n\r\nx\r\n--BOUND--"),
          "--BOUND\r\nContent-Transfer-Encoding: base64\r\n" + title_head + "x\r\n--BOUND--"}) {
        same_in_all_pieces(body, read(body, body.size()).told);
        BOOST_TEST(error_of(body) == "!", body);
    }
}

BOOST_AUTO_TEST_CASE(heads_and_parts_are_limited) {
    std::string many;
    for (int i = 0; i < 17; ++i)
        many += "--BOUND\r\n" + title_head + "x\r\n";
    BOOST_TEST(read(many + "--BOUND--", 100).told.find("more than 16 parts") != std::string::npos);
    const auto endless = "--BOUND\r\nX: " + std::string(10'000, 'x');
    BOOST_TEST(read(endless, 10).told.find("over 8192 bytes") != std::string::npos);
    BOOST_TEST(read("--BOUND" + std::string(1000, ' ') + "\r\n", 7).told.substr(0, 1) == "!");
}

BOOST_AUTO_TEST_CASE(the_content_type_must_name_a_sound_boundary) {
    const auto code = [](std::string_view type) { return multipart_parser::create(type).error().code; };
    BOOST_TEST((code("") == errc::unsupported_type));
    BOOST_TEST((code("application/json") == errc::unsupported_type));
    BOOST_TEST((code("multipart/mixed; boundary=x") == errc::unsupported_type));
    BOOST_TEST((code("multipart/form-data") == errc::invalid_argument));
    BOOST_TEST((code("multipart/form-data; boundary=") == errc::invalid_argument));
    BOOST_TEST((code("multipart/form-data; boundary=\"\"") == errc::invalid_argument));
    BOOST_TEST((code("multipart/form-data; boundary=\"a\\\r\"") == errc::invalid_argument));
    BOOST_TEST((code("multipart/form-data; boundary=" + std::string(71, 'x')) == errc::invalid_argument));
    BOOST_TEST(
        multipart_parser::create("Multipart/Form-Data; charset=utf-8; Boundary=" + std::string(70, 'x'))
            .has_value());
    BOOST_TEST(multipart_parser::create("multipart/form-data; boundary=\"----a b'()+_,-./:=?\"").has_value());
}

BOOST_AUTO_TEST_CASE(a_large_part_passes_in_large_pieces) {
    std::string content(300'000, '\r');
    for (std::size_t i = 0; i < content.size(); i += 3)
        content[i] = '\n';
    const auto got = read("--BOUND\r\n" + file_head + content + "\r\n--BOUND--\r\n", 65536);
    BOOST_TEST((got.told == "file|a.png|image/png=" + content + ";"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::http::test
