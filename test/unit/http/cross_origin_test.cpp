// SPDX-License-Identifier: Apache-2.0
// Requests of pages from other origins: preflights, and who may read which answer.
#include "boost_test.hpp"
#include "support.hpp"

#include "http/cache_lines.hpp"
#include "http/cross_origin.hpp"
#include "http/errors.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

namespace gallery::http::test {

namespace {

bool matches(std::string_view patterns, std::string_view origin) {
    const auto list = origin_pattern::parse_list(patterns).value();
    return std::any_of(list.begin(), list.end(), [&](const auto& one) { return one.matches(origin); });
}

bool is_wildcard(std::string_view pattern) {
    return origin_pattern::parse_list(pattern).value().at(0).is_wildcard();
}

void api(router& routes) {
    routes.add(method::get, "/api/thing", always([](request&) { return response::text(200, "thing"); }));
    routes.add(method::post, "/api/thing", always([](request&) {
                   return error_response({errc::too_many_requests, "slow down", 7});
               }),
               {.name = "thing.make", .body_limit = 10});
    routes.add(method::get, "/api/open/{key}", always([](request& message) {
                   if (message.param(0) != "there") return error_response({errc::not_found, "no"});
                   auto answer = response::text(200, "open");
                   answer.add_prepared(open_lines);
                   return answer;
               }),
               {.name = "open", .open_to_pages = true});
    routes.add(method::get, "/health", always([](request&) { return response::text(200, "well"); }));
}

running_server::tweak with(std::string_view origins, bool credentials = false, std::string_view methods = "*",
                           std::string_view headers = "*") {
    cross_origin_settings settings;
    settings.origins = origin_pattern::parse_list(origins).value();
    settings.methods = parse_names(methods).value();
    settings.headers = parse_names(headers).value();
    settings.credentials = credentials;
    return [settings](server_options& options) { options.cross_origin = settings; };
}

constexpr const char* page = "Origin: https://page.example\r\n";

std::string preflight(std::string_view path, std::string_view wanted, std::string_view lines = "") {
    return "OPTIONS " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + page +
           "Access-Control-Request-Method: " + std::string(wanted) + "\r\n" + std::string(lines) + "\r\n";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pages_of_other_origins)

BOOST_AUTO_TEST_CASE(a_copy_that_a_browser_may_use_without_asking_is_for_one_account) {
    using std::chrono::minutes;
    const std::string by_account = "Vary: X-Authorization, Authorization\r\n";
    BOOST_TEST(cache_lines(false, minutes(10), {}) == "Cache-Control: private, max-age=600\r\n" + by_account);
    BOOST_TEST(cache_lines(false, minutes(0), {}) == "Cache-Control: private, no-cache\r\n");
    BOOST_TEST(cache_lines(true, minutes(10), {}).find("Vary") == std::string::npos);
    cross_origin_settings settings;
    settings.origins = origin_pattern::parse_list("https://a.example").value();
    const auto lines = cache_lines(false, minutes(10), cross_origin(settings));
    BOOST_TEST(lines.find("Vary: Origin\r\n") != std::string::npos);
    BOOST_TEST(lines.find(by_account) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(patterns_match_as_they_read) {
    BOOST_TEST(matches("*", "https://anything.example:1"));
    BOOST_TEST(matches("*", "null"));
    BOOST_TEST(matches("https://a.example", "https://a.example"));
    BOOST_TEST(matches("https://A.example/", "HTTPS://a.EXAMPLE"));
    BOOST_TEST(!matches("https://a.example", "http://a.example"));
    BOOST_TEST(!matches("https://a.example", "https://a.example:8443"));
    BOOST_TEST(!matches("https://a.example", "https://a.example.evil"));
    BOOST_TEST(matches("https://*.a.example", "https://x.y.a.example"));
    BOOST_TEST(!matches("https://*.a.example", "https://a.example"));
    BOOST_TEST(!matches("https://*.a.example", "https://evil/.a.example"));
    BOOST_TEST(!matches("https://*.a.example", "https://xa.example"));
    BOOST_TEST(matches("https://*.a.example:[*]", "https://x.a.example:8443"));
    BOOST_TEST(matches("https://*.a.example:[*]", "https://x.a.example"));
    BOOST_TEST(matches("http://b, https://a.example:[443,8443] ,", "https://a.example:8443"));
    BOOST_TEST(!matches("https://a.example:[443,8443]", "https://a.example:80"));
    BOOST_TEST(!matches("https://a.example:[443,8443]", "https://a.example"));
    BOOST_TEST(matches("http://localhost:*", "http://localhost:4200"));
    BOOST_TEST(!matches("https://a.example", "null"));
    for (const char* wrong : {"a.example", "https://", "://a", "https://a/b", "https://a b", "https://a:[x]",
                              "**", "https://a?b", "https://u@a"}) {
        BOOST_TEST(!origin_pattern::parse_list(wrong).has_value(), wrong);
    }
    for (const char* open :
         {"*", "https://*", "*://*", "https://*.com", "https://*example.co.uk", "null", "http*://*:[*]"})
        BOOST_TEST(is_wildcard(open), open);
    for (const char* closed :
         {"https://a.example", "https://*.a.example", "http://localhost:*", "*://a.example:[*]"})
        BOOST_TEST(!is_wildcard(closed), closed);
}

BOOST_AUTO_TEST_CASE(every_answer_of_the_api_can_be_read_by_any_page) {
    running_server server(api, with("*"));
    const std::pair<std::string, unsigned> cases[] = {
        {get("/api/thing", page), 200U},
        {get("/api/nothing", page), 404U},
        {"POST /api/thing HTTP/1.1\r\nHost: a\r\n" + std::string(page) + "Content-Length: 2\r\n\r\nab", 429U},
        {"PUT /api/thing HTTP/1.1\r\nHost: a\r\n" + std::string(page) + "Content-Length: 0\r\n\r\n", 405U},
        {"GET /api/%zz HTTP/1.1\r\nHost: a\r\n" + std::string(page) + "\r\n", 400U},
        {"GET /api/thing HTTP/1.1\r\n" + std::string(page) + "\r\n", 400U},  // no Host
        {"GET /api/thing HTTP/1.1\r\nHost: a\r\n" + std::string(page) + "X: " + std::string(20'000, 'x'),
         431U},
    };
    for (const auto& [text, status] : cases) {
        client c(server.port());
        const auto got = c.ask(text);
        BOOST_TEST(got.status == status, text.substr(0, 60));
        BOOST_TEST(got.header("Access-Control-Allow-Origin") == "*", text.substr(0, 60));
        BOOST_TEST(got.header("Access-Control-Expose-Headers") == "ETag, x-filename, Content-Disposition");
        BOOST_TEST(got.count("Access-Control-Allow-Credentials") == 0U);
        BOOST_TEST(got.count("Vary") == 0U);
    }
    client c(server.port());
    BOOST_TEST(c.ask(get("/api/thing")).count("Access-Control-Allow-Origin") == 0U);
    BOOST_TEST(c.ask(get("/health", page)).count("Access-Control-Allow-Origin") == 0U);
}

BOOST_AUTO_TEST_CASE(only_listed_origins_are_named) {
    running_server server(api, with("https://other.example, https://page.example", true));
    client c(server.port());
    auto got = c.ask(get("/api/thing", page));
    BOOST_TEST(got.header("Access-Control-Allow-Origin") == "https://page.example");
    BOOST_TEST(got.header("Access-Control-Allow-Credentials") == "true");
    BOOST_TEST(got.header("Vary") == "Origin");
    got = c.ask(get("/api/thing", "Origin: https://evil.example\r\n"));
    BOOST_TEST(got.status == 200U);  // the browser keeps it from the page
    BOOST_TEST(got.count("Access-Control-Allow-Origin") == 0U);
    BOOST_TEST(got.header("Vary") == "Origin");
    running_server closed(api, with(""));
    client d(closed.port());
    BOOST_TEST(d.ask(get("/api/thing", page)).count("Access-Control-Allow-Origin") == 0U);
    BOOST_TEST(d.ask(get("/api/open/there", page)).header("Access-Control-Allow-Origin") == "*");
    BOOST_TEST(d.ask(get("/api/open/other", page)).header("Access-Control-Allow-Origin") == "*");
    BOOST_TEST(d.ask(preflight("/api/thing", "POST")).count("Access-Control-Allow-Origin") == 0U);
}

BOOST_AUTO_TEST_CASE(a_preflight_is_answered_on_every_path_of_the_api) {
    running_server server(api, with("*"));
    client c(server.port());
    auto got = c.ask(
        preflight("/api/thing", "POST", "Access-Control-Request-Headers: x-authorization,Content-Type\r\n"));
    BOOST_TEST(got.status == 204U);
    BOOST_TEST(got.header("Access-Control-Allow-Origin") == "*");
    BOOST_TEST(got.header("Access-Control-Allow-Methods") == "GET, HEAD, POST, OPTIONS");
    BOOST_TEST(got.header("Access-Control-Allow-Headers") == "x-authorization, Content-Type");
    BOOST_TEST(got.header("Access-Control-Max-Age") == "1800");
    BOOST_TEST(got.count("X-Request-ID") == 0U);
    got = c.ask(preflight("/api/nothing", "DELETE"));
    BOOST_TEST(got.status == 204U);
    BOOST_TEST(got.header("Access-Control-Allow-Methods").find("DELETE") != std::string::npos);
    got = c.ask(preflight("/api/open/there", "GET"));
    BOOST_TEST(got.header("Access-Control-Allow-Methods") == "GET, HEAD, OPTIONS");
    BOOST_TEST(c.ask(preflight("/health", "GET")).count("Access-Control-Allow-Methods") == 0U);
    // Without Access-Control-Request-Method it is a plain OPTIONS.
    got = c.ask("OPTIONS /api/thing HTTP/1.1\r\nHost: a\r\n" + std::string(page) + "\r\n");
    BOOST_TEST(got.status == 204U);
    BOOST_TEST(got.header("Allow") == "GET, HEAD, POST, OPTIONS");
    BOOST_TEST(got.count("Access-Control-Allow-Methods") == 0U);

    running_server strict(api, with("https://page.example", false, "get, HEAD", "X-Authorization"));
    client d(strict.port());
    got =
        d.ask(preflight("/api/thing", "GET", "Access-Control-Request-Headers: x-authorization, x-other\r\n"));
    BOOST_TEST(got.status == 204U);
    BOOST_TEST(got.header("Access-Control-Allow-Origin") == "https://page.example");
    BOOST_TEST(got.header("Access-Control-Allow-Methods") == "GET, HEAD");
    BOOST_TEST(got.header("Access-Control-Allow-Headers") == "x-authorization");
    BOOST_TEST(d.ask(preflight("/api/thing", "POST")).status == 403U);
    running_server other(api, with("https://other.example"));
    client e(other.port());
    BOOST_TEST(e.ask(preflight("/api/thing", "GET")).status == 403U);
    BOOST_TEST(e.ask(preflight("/api/open/there", "GET")).header("Access-Control-Allow-Origin") == "*");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::http::test
