// SPDX-License-Identifier: Apache-2.0
// Small grammars: codings, dispositions, media types, percent-encoding, queries, routes, errors.
#include <gallery/text.hpp>

#include "boost_test.hpp"
#include "support.hpp"

#include "http/content_coding.hpp"
#include "http/disposition.hpp"
#include "http/errors.hpp"
#include "http/media_type.hpp"
#include "http/percent.hpp"
#include "http/query.hpp"
#include "http/static_files.hpp"

#include <boost/json/parse.hpp>

#include <string>

namespace gallery::http::test {

BOOST_AUTO_TEST_SUITE(texts)

BOOST_AUTO_TEST_CASE(the_preferred_coding_is_chosen_by_weight) {
    struct {
        const char* value;
        content_coding expected;
    } const cases[] = {
        {"", content_coding::identity},
        {"gzip", content_coding::gzip},
        {"br", content_coding::brotli},
        {"gzip, br", content_coding::brotli},
        {"GZIP", content_coding::gzip},
        {"x-gzip", content_coding::gzip},
        {"gzip;q=1.0, br;q=0.5", content_coding::gzip},
        {"gzip;q=0.2, br ; q=0.9", content_coding::brotli},
        {"gzip;q=0, br;q=0", content_coding::identity},
        {"*", content_coding::brotli},
        {"*;q=0", content_coding::identity},
        {"*;q=0, gzip", content_coding::gzip},
        {"br;q=0, *", content_coding::gzip},
        {"identity", content_coding::identity},
        {"identity;q=0", content_coding::identity},
        {"identity, gzip;q=0.5", content_coding::identity},
        {"identity;q=0.5, gzip;q=0.5", content_coding::gzip},
        {"deflate, zstd", content_coding::identity},
        {"gzip;q=0.001", content_coding::gzip},
        {"gzip;q=1.001", content_coding::identity},
        {"gzip;q=0.0001", content_coding::identity},
        {"gzip;q=", content_coding::identity},
        {"gzip;q=x, br;q=0.1", content_coding::brotli},
        {"gzip;level=9", content_coding::identity},
        {",,gzip,,", content_coding::gzip},
        {"gzip deflate", content_coding::identity},
        {";q=1", content_coding::identity},
    };
    for (const auto& c : cases)
        BOOST_TEST((choose_coding(c.value, {true, true}) == c.expected), c.value);
    BOOST_TEST((choose_coding("gzip, br", {true, false}) == content_coding::gzip));
    BOOST_TEST((choose_coding("*", {false, false}) == content_coding::identity));
    const parsed_request two("Accept-Encoding: gzip;q=0.1\r\nAccept-Encoding: br;q=0.2\r\n");
    BOOST_TEST((choose_coding(two, {true, true}) == content_coding::brotli));
}

BOOST_AUTO_TEST_CASE(any_file_name_makes_a_safe_disposition) {
    constexpr auto attached = disposition_kind::attachment;
    struct {
        std::string name, expected;
    } const cases[] = {
        {"a.png", "attachment; filename=\"a.png\""},
        {"a b.png", "attachment; filename=\"a b.png\""},
        {"", "attachment"},
        {"a\"b\\c.png", "attachment; filename=\"a_b_c.png\"; filename*=UTF-8''a%22b%5Cc.png"},
        {"100%.png", "attachment; filename=\"100_.png\"; filename*=UTF-8''100%25.png"},
        {"käse €.png", "attachment; filename=\"k_se _.png\"; filename*=UTF-8''k%C3%A4se%20%E2%82%AC.png"},
        {"a\r\nSet-Cookie: x",
         "attachment; filename=\"a__Set-Cookie: x\"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20x"},
        {"../../etc/passwd",
         "attachment; filename=\".._.._etc_passwd\"; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd"},
        {std::string("a\0b", 3), "attachment; filename=\"a_b\"; filename*=UTF-8''a%00b"},
        {"\xFFz\xC3", "attachment; filename=\"_z_\"; filename*=UTF-8''%EF%BF%BDz%EF%BF%BD"},
        {"a;b'c.png", "attachment; filename=\"a;b'c.png\""},
    };
    for (const auto& c : cases) {
        const auto made = content_disposition(attached, c.name);
        BOOST_TEST(made == c.expected);
        BOOST_TEST(is_header_value(made));
    }
    BOOST_TEST(content_disposition(disposition_kind::inline_, "a") == "inline; filename=\"a\"");
}

BOOST_AUTO_TEST_CASE(a_forms_disposition_is_read_as_clients_write_it) {
    struct {
        std::string value, name;
        std::optional<std::string> file;
    } const cases[] = {
        {"form-data; name=\"file\"", "file", std::nullopt},
        {"FORM-DATA; Name=file; FileName=a.png", "file", "a.png"},
        {"form-data; name=\"file\"; filename=\"a.png\"", "file", "a.png"},
        {"form-data;name=\"f\";filename=\"käse.png\"", "f", "käse.png"},
        {"form-data; name=\"f\"; filename=\"a\\\"b.png\"", "f", "a\"b.png"},
        {"form-data; name=\"f\"; filename=\"a%22b.png\"", "f", "a\"b.png"},
        {"form-data; name=\"f\"; filename=\"100%.png\"", "f", "100%.png"},
        {"form-data; name=\"f\"; filename=\"100%25.png\"", "f", "100%25.png"},
        {"form-data; name=\"f\"; filename=\"C:\\dir\\a.png\"", "f", "a.png"},
        {"form-data; name=\"f\"; filename=\"/tmp/dir\\x/a.png\"", "f", "a.png"},
        {"form-data; name=\"f\"; filename=\"C:\\\\dir\\\\\"", "f", ""},
        {"form-data; name=\"f\"; filename=\"k\xE4se \x80.png\"", "f", "käse €.png"},
        {"form-data; name=\"f\"; filename=\"=?UTF-8?B?a8Okc2UucG5n?=\"", "f", "käse.png"},
        {"form-data; name=\"f\"; filename=\"=?latin1?q?k=E4se_=31.png?=\"", "f", "käse 1.png"},
        {"form-data; name=\"f\"; filename=\"=?x?q?a?=\"", "f", "=?x?q?a?="},
        {"form-data; name=\"f\"; filename=\"=?utf-8?q?=F?=\"", "f", "=?utf-8?q?=F?="},
        {"form-data; name=\"f\"; filename=\"\"", "f", ""},
        {"form-data; name=\"f\"; filename=\"x\"; filename*=UTF-8''k%C3%A4se.png", "f", "käse.png"},
        {"form-data; name=\"f\"; filename*=utf-8'de'a%20b; filename=\"x\"", "f", "a b"},
        {"form-data; name=\"f\"; filename=\"x\"; filename*=iso-8859-1''%E4", "f", "ä"},
        {"form-data; name=\"f\"; filename=\"x\"; filename*=koi8-r''%E4", "f", "x"},
        {"form-data; name=\"f\"; filename=\"x\"; filename*=UTF-8''%FF", "f", "x"},
        {"form-data; name=\"a;b\"; filename=\"c;d\"", "a;b", "c;d"},
        {"form-data; name=\"f\";", "f", std::nullopt},
    };
    for (const auto& c : cases) {
        const auto form = parse_form_disposition(c.value);
        BOOST_TEST_REQUIRE(form.has_value(), c.value);
        BOOST_TEST(form->name == c.name, c.value);
        BOOST_TEST((form->file_name == c.file), c.value);
    }
    for (const char* value : {"", "attachment; name=\"f\"", "form-data", "form-data; filename=\"x\"",
                              "form-data; name=\"f", "form-data; name=\"a\"; name=\"b\"", "form-data; name",
                              "form-data name=\"f\"", "form-data; na me=\"f\"", "form-data; name=\"f\" x"}) {
        BOOST_TEST(!parse_form_disposition(value).has_value(), value);
    }
}

BOOST_AUTO_TEST_CASE(media_types_and_their_parameters) {
    const auto type = media_type::parse(" Image/PNG ; a=b; c=\"d\\\"e;f\" ;; g = h");
    BOOST_REQUIRE(type);
    BOOST_TEST(type->is("image/png"));
    BOOST_TEST((type->parameter("A") == std::optional<std::string>("b")));
    BOOST_TEST((type->parameter("c") == std::optional<std::string>("d\"e;f")));
    BOOST_TEST((type->parameter("x") == std::nullopt));
    for (const char* text : {"", "image", "image/", "/png", "image/p ng", "im age/png", "image/png/x"}) {
        BOOST_TEST(!media_type::parse(text).has_value(), text);
    }
    BOOST_TEST((media_type::parse("a/b; c=\"d")->parameter("c") == std::nullopt));
    BOOST_TEST((media_type::parse("a/b; c=")->parameter("c") == std::nullopt));
    BOOST_TEST(is_json("application/json"));
    BOOST_TEST(is_json("Application/Problem+JSON; charset=utf-8"));
    BOOST_TEST(!is_json("text/json"));
    BOOST_TEST(media_type_of_file("x/y.HTML") == "text/html; charset=utf-8");
    BOOST_TEST(media_type_of_file("y") == "application/octet-stream");
    BOOST_TEST(has_hashed_name("main-5Q7ZK3XD.js"));
    BOOST_TEST(has_hashed_name("styles-ABCDEFGH12.css"));
    BOOST_TEST(!has_hashed_name("main.js"));
    BOOST_TEST(!has_hashed_name("roboto-regular.woff2"));
    BOOST_TEST(!has_hashed_name("index.html"));
    BOOST_TEST(!has_hashed_name("a-SHORT.js"));
}

BOOST_AUTO_TEST_CASE(percent_decoding_happens_once) {
    std::string out;
    BOOST_TEST(percent_decode("a%20b%2Fc+d%2520", out));
    BOOST_TEST(out == "a b/c+d%20");
    BOOST_TEST(form_decode("a+b%2B", out));
    BOOST_TEST(out == "a b+");
    for (const char* text : {"%", "%2", "a%2", "%zz", "%2g", "%%20"})
        BOOST_TEST(!percent_decode(text, out), text);
    BOOST_TEST(percent_encode("a b/ä~") == "a%20b%2F%C3%A4~");
    BOOST_TEST(percent_decode(percent_encode("\x01\xFF%/ "), out));
    BOOST_TEST(out == "\x01\xFF%/ ");
}

BOOST_AUTO_TEST_CASE(a_query_is_decoded_on_demand) {
    const query_view query(
        "pageSize=30&textSearch=a%20b+c&page=-1&force&x=&b=TRUE&y=%zz&u=%FF&big=99999999999999999999"
        "&pageSize=31&na%6De=v&n=3x");
    BOOST_TEST((*query.get("textSearch") == std::optional<std::string>("a b c")));
    BOOST_TEST((*query.get("name") == std::optional<std::string>("v")));
    BOOST_TEST((*query.get("x") == std::optional<std::string>("")));
    BOOST_TEST((*query.get("missing") == std::nullopt));
    BOOST_TEST(!query.get("y"));
    BOOST_TEST(!query.get("u"));
    BOOST_TEST((*query.get_integer("pageSize") == std::optional<std::int64_t>(30)));
    BOOST_TEST((*query.get_integer("page") == std::optional<std::int64_t>(-1)));
    BOOST_TEST((*query.get_integer("missing") == std::nullopt));
    for (const char* name : {"x", "big", "n", "force"})
        BOOST_TEST(!query.get_integer(name), name);
    BOOST_TEST((*query.get_boolean("force") == std::optional<bool>(true)));
    BOOST_TEST((*query.get_boolean("b") == std::optional<bool>(true)));
    BOOST_TEST((*query.get_boolean("missing") == std::nullopt));
    const query_view several("tag=a&tags=x&t%61g=b+c&tag&tag=%C3%A4");
    BOOST_TEST((*several.get_all("tag") == std::vector<std::string>{"a", "b c", "", "\xC3\xA4"}));
    BOOST_TEST(several.get_all("missing")->empty());
    BOOST_TEST(!query_view("tag=a&tag=%").get_all("tag"));
    BOOST_TEST(!query_view("tag=a&tag=%FF").get_all("tag"));
    BOOST_TEST(!query.get_boolean("n"));
    BOOST_TEST(query.has("force"));
    BOOST_TEST(!query.has("forc"));
    BOOST_TEST(!query.require("missing"));
    BOOST_TEST(query.require("missing").error().message ==
               "Required request parameter 'missing' is not present");
    BOOST_TEST(!query_view("").has(""));
    for (const auto* yes : {"true", "TRUE", "1", "yes", "Yes", "on", "ON"})
        BOOST_TEST((parse_boolean(yes) == std::optional<bool>(true)), yes);
    for (const auto* no : {"false", "False", "0", "no", "NO", "off", "Off"})
        BOOST_TEST((parse_boolean(no) == std::optional<bool>(false)), no);
    for (const auto* neither : {"", " true", "t", "2", "truer", "tru", "10", "n", "o"})
        BOOST_TEST((parse_boolean(neither) == std::nullopt), neither);
}

BOOST_AUTO_TEST_CASE(every_failure_has_a_status_and_keeps_secrets) {
    const std::pair<errc, std::pair<unsigned, int>> table[] = {
        {errc::invalid_argument, {400, 31}},
        {errc::not_found, {404, 32}},
        {errc::already_exists, {400, 31}},
        {errc::not_an_image, {400, 31}},
        {errc::too_large, {413, 31}},
        {errc::unsupported_type, {415, 31}},
        {errc::precondition_failed, {412, 35}},
        {errc::version_conflict, {409, 35}},
        {errc::unauthenticated, {401, 10}},
        {errc::token_expired, {401, 11}},
        {errc::credentials_expired, {401, 15}},
        {errc::permission_denied, {403, 20}},
        {errc::too_many_requests, {429, 33}},
        {errc::stale, {500, 2}},
        {errc::busy, {503, 2}},
        {errc::unavailable, {503, 2}},
        {errc::no_space, {507, 2}},
        {errc::read_only, {503, 2}},
        {errc::unknown_outcome, {503, 2}},
        {errc::io_error, {500, 2}},
        {errc::corrupt, {500, 2}},
        {errc::internal, {500, 2}},
    };
    for (const auto& [code, expected] : table) {
        const auto made = error_response({code, "the \"message\" \xFF"});
        BOOST_TEST(made.status() == expected.first);
        const auto shape = boost::json::parse(made.content().memory()->view()).as_object();
        BOOST_TEST(shape.at("errorCode").as_int64() == expected.second);
        BOOST_TEST(shape.at("status").as_int64() == expected.first);
        BOOST_TEST(shape.size() == 4U);
        const std::string message(shape.at("message").as_string());
        BOOST_TEST((message.find("message") != std::string::npos) == (expected.first < 500));
        const bool for_operators = code == errc::read_only || code == errc::unknown_outcome;
        const bool later = (expected.first == 429 || expected.first == 503) && !for_operators;
        BOOST_TEST((made.header("Retry-After") == "1") == later);
        BOOST_TEST(made.note().empty() == (expected.first < 500));
        BOOST_TEST(made.header("Cache-Control") == "no-store");

        const auto other = error_response({code, "the \"message\" \xFF"}, "another text");
        const auto other_shape = boost::json::parse(other.content().memory()->view()).as_object();
        BOOST_TEST(other_shape.at("message").as_string() == "another text");
        BOOST_TEST(other.status() == made.status());
        BOOST_TEST(other.note() == made.note());
        BOOST_TEST(other.header("Retry-After") == made.header("Retry-After"));
    }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(routes)

namespace {
struct fixture {
    router table;
    fixture() {
        for (const char* pattern : {"/api/images", "/api/images/public/{key}", "/api/images/{type}/{key}",
                                    "/api/images/{type}/{key}/preview", "/"}) {
            table.add(method::get, pattern, always([](request&) { return response(); }), {.name = pattern});
        }
        table.add(method::delete_, "/api/images/{type}/{key}", always([](request&) { return response(); }),
                  {.name = "delete"});
    }
    std::string find(const std::string& path, const char* verb = "GET") {
        parsed_request message("", std::string(verb) + " " + path + " HTTP/1.1");
        const auto found = table.find(message.get());
        switch (found.what) {
            case router::outcome::not_found:
                return "404";
            case router::outcome::wrong_method:
                return "405 " + found.allow;
            case router::outcome::bad_path:
                return "400";
            case router::outcome::found:
                break;
        }
        std::string text(found.target->options.name);
        for (std::size_t i = 0; i < message.get().param_count(); ++i)
            text += " [" + message.get().param(i) + "]";
        return text;
    }
};
}  // namespace

BOOST_FIXTURE_TEST_CASE(a_path_is_split_then_decoded_then_matched, fixture) {
    const std::pair<const char*, const char*> cases[] = {
        {"/", "/"},
        {"/api/images", "/api/images"},
        {"/api/images?x=/", "/api/images"},
        {"/api/im%61ges", "/api/images"},
        {"/api%2Fimages", "404"},
        {"/api/images/", "404"},
        {"/api//images", "404"},
        {"/api/images/public/k", "/api/images/public/{key} [k]"},
        {"/api/images/tenant/k", "/api/images/{type}/{key} [tenant] [k]"},
        {"/api/images/tenant/a%20b%2Fc", "/api/images/{type}/{key} [tenant] [a b/c]"},
        {"/api/images/tenant/%2e%2e%2f", "/api/images/{type}/{key} [tenant] [../]"},
        {"/api/images/tenant/a%2520b", "/api/images/{type}/{key} [tenant] [a%20b]"},
        {"/api/images/public/k/preview", "/api/images/{type}/{key}/preview [public] [k]"},
        {"/api/images/tenant//preview", "404"},
        {"/api/images/tenant/", "404"},
        {"/api/images/tenant/..", "/api/images/{type}/{key} [tenant] [..]"},
        {"/api/images/tenant/a+b", "/api/images/{type}/{key} [tenant] [a+b]"},
        {"/api/images/tenant/%ff", "400"},
        {"/api/images/tenant/%c0%ae", "400"},
        {"/api/images/tenant/%", "400"},
        {"/api/images/tenant/k/x", "404"},
        {"/apix/images", "404"},
        {"/API/images", "404"},
    };
    for (const auto& [path, expected] : cases)
        BOOST_TEST(find(path) == expected, path);
    BOOST_TEST(find("/api/images/tenant/k", "DELETE") == "delete [tenant] [k]");
    BOOST_TEST(find("/api/images/tenant/k", "HEAD") == "/api/images/{type}/{key} [tenant] [k]");
    BOOST_TEST(find("/api/images/tenant/k", "PUT") == "405 GET, HEAD, DELETE, OPTIONS");
    BOOST_TEST(find("/api/images", "OPTIONS") == "405 GET, HEAD, OPTIONS");
    // DELETE of the literal route is taken by the parameters that allow it.
    BOOST_TEST(find("/api/images/public/k", "DELETE") == "delete [public] [k]");
    BOOST_TEST(table.routes().size() == 6U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::http::test
