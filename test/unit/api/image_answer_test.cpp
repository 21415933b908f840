// SPDX-License-Identifier: Apache-2.0
// What is sent for an image must not depend on where the record and the bytes come from.
#include "api/image_answer.hpp"
#include "boost_test.hpp"
#include "http/head_parser.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace gallery::test {

using api::image_plan;
using needs = image_plan::needs;

namespace {

class parsed_request {
public:
    explicit parsed_request(std::string_view lines, std::string_view method = "GET")
        : text_(std::string(method) + " /x HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n") {
        const auto outcome = http::parse_head(text_, {}, message_->mutable_head());
        if (outcome.status != http::head_status::complete)
            throw std::runtime_error("malformed head: " + text_);
    }
    operator const http::request&() const noexcept { return *message_; }  // NOLINT

private:
    std::string text_;
    std::unique_ptr<http::request> message_ = std::make_unique<http::request>();
};

sha256_digest digest_of(std::string_view text) {
    return sha256({text.data(), text.size()});
}

struct planner {
    explicit planner(std::string media_type) {
        record.tenant = system_tenant;
        record.key = "a.png";
        record.file_name = "a.png";
        record.rev = 7;
        record.original = {std::move(media_type), 1, 1, 100, digest_of("original")};
        record.preview_is_original = true;
        record.preview = record.original;
    }
    image_plan plan(const http::request& message, const api::known_image& known) {
        out.reset();
        return answers.plan(message, asked, known, out);
    }
    image_plan with_record(const http::request& message, const images::coded_body* coded = nullptr) {
        return plan(message, {.cached = nullptr, .record = &record, .coded = coded});
    }

    image_record record;
    api::image_request asked{.which = representation::original, .may = nullptr, .name = "publickey"};
    api::image_answers answers{{}};
    http::response out;
};

std::string condition(std::string_view text) {
    return "If-None-Match: \"" + to_hex(digest_of(text)) + "\"\r\n";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(image_answer)

BOOST_AUTO_TEST_CASE(a_304_is_the_same_from_the_cache_and_from_the_record) {
    for (const std::string media_type : {"image/png", "image/svg+xml"}) {
        planner planning(media_type);
        cache::etag_cache etags(1 << 20, std::chrono::minutes(1));
        const auto ticket = etags.begin_fill(planning.asked.etag_key());
        const api::known_image found{.cached = nullptr, .record = &planning.record, .coded = nullptr};
        api::image_answers::remember(etags, ticket, planning.asked, found, content_coding::identity,
                                     cache::etag_cache::coarse_now());
        const parsed_request message(condition("original"));
        const auto entry = api::image_answers::cached(etags, message, planning.asked);
        BOOST_TEST_REQUIRE(entry.has_value());
        const auto from_cache =
            planning.plan(message, {.cached = &*entry, .record = nullptr, .coded = nullptr});
        BOOST_TEST((from_cache.next == needs::nothing));
        BOOST_TEST(planning.out.status() == 304U);
        const auto lines = planning.out.fields();
        BOOST_TEST((planning.with_record(message).next == needs::nothing));
        BOOST_TEST(planning.out.status() == 304U);
        BOOST_TEST(planning.out.fields() == lines);
        BOOST_TEST(planning.out.header("Vary").empty() == (media_type == "image/png"));
    }
}

BOOST_AUTO_TEST_CASE(an_entry_of_the_cache_answers_nothing_but_not_modified) {
    planner planning("image/png");
    cache::etag_entry entry;
    entry.digest = digest_of("original");
    const api::known_image known{.cached = &entry, .record = nullptr, .coded = nullptr};
    for (const std::string lines : {"", "If-Match: \"x\"\r\n", "Range: bytes=0-9\r\n"}) {
        BOOST_TEST((planning.plan(parsed_request(lines), known).next == needs::record), lines);
        BOOST_TEST(planning.out.fields().empty(), lines);
    }
    BOOST_TEST((planning.plan(parsed_request(condition("another")), known).next == needs::record));
    BOOST_TEST((planning.plan(parsed_request(""), {}).next == needs::record));
}

BOOST_AUTO_TEST_CASE(the_content_is_fetched_only_where_it_is_sent) {
    planner planning("image/png");
    const auto whole = planning.with_record(parsed_request(""));
    BOOST_TEST((whole.next == needs::content));
    BOOST_TEST((whole.range == http::byte_range{0, 100}));
    const auto part = planning.with_record(parsed_request("Range: bytes=10-19\r\n"));
    BOOST_TEST((part.next == needs::content));
    BOOST_TEST((part.range == http::byte_range{10, 10}));
    BOOST_TEST(planning.out.status() == 206U);
    BOOST_TEST((planning.with_record(parsed_request("", "HEAD")).next == needs::nothing));
    BOOST_TEST(planning.out.status() == 200U);
    BOOST_TEST(planning.out.content_size() == 100U);
    BOOST_TEST((planning.with_record(parsed_request("Range: bytes=100-\r\n")).next == needs::nothing));
    BOOST_TEST(planning.out.status() == 416U);
    BOOST_TEST((planning.with_record(parsed_request("If-Match: \"x\"\r\n")).next == needs::nothing));
    BOOST_TEST(planning.out.status() == 412U);
}

BOOST_AUTO_TEST_CASE(a_coding_needs_the_coded_bytes_even_for_a_304) {
    planner drawing("image/svg+xml");
    const parsed_request message("Accept-Encoding: gzip\r\n" + condition("coded"));
    const auto first = drawing.with_record(message);
    BOOST_TEST((first.next == needs::coded_body));
    BOOST_TEST((first.coding == content_coding::gzip));
    BOOST_TEST(drawing.out.fields().empty());
    const images::coded_body coded{bytes::own("coded"), digest_of("coded")};
    BOOST_TEST((drawing.with_record(message, &coded).next == needs::nothing));
    BOOST_TEST(drawing.out.status() == 304U);
    const parsed_request without("Accept-Encoding: gzip\r\n");
    BOOST_TEST((drawing.with_record(without, &coded).next == needs::nothing));
    BOOST_TEST(drawing.out.status() == 200U);
    BOOST_TEST(drawing.out.header("Content-Encoding") == "gzip");
    BOOST_TEST(drawing.out.content().size() == 5U);
    // Where compressing does not make the bytes smaller, they are sent as they are.
    const images::coded_body useless;
    BOOST_TEST((drawing.with_record(without, &useless).next == needs::content));
    BOOST_TEST(drawing.out.header("Content-Encoding").empty());
    BOOST_TEST(drawing.out.header("Vary") == "Accept-Encoding");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::test
