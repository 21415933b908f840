// SPDX-License-Identifier: Apache-2.0
#include "boost_test.hpp"

#include "config/payload_limits.hpp"

using namespace gallery::config;

namespace {

constexpr const char* thingsboards_default =
    "/api/image*/**=52428800;/api/resource/**=52428800;/api/**=16777216";

}  // namespace

BOOST_AUTO_TEST_SUITE(payload_limits_of_paths)

BOOST_AUTO_TEST_CASE(thingsboards_default_gives_images_50_mib_and_the_rest_of_the_api_16) {
    const auto limits = payload_limits::parse(thingsboards_default).value();
    for (const char* path : {"/api/image", "/api/images", "/api/image/import", "/api/images/tenant/logo.png",
                             "/api/images/tenant/logo.png/info", "/api/resource/x", "/api/resource"}) {
        BOOST_TEST(limits.limit(path).value() == 52428800U, path);
    }
    for (const char* path : {"/api/auth/login", "/api/tenant", "/api", "/api/imag", "/api/resources"}) {
        BOOST_TEST(limits.limit(path).value() == 16777216U, path);
    }
    for (const char* path : {"/", "", "/console", "/apis", "api/image"}) {
        BOOST_TEST(!limits.limit(path).has_value(), path);
    }
}

BOOST_AUTO_TEST_CASE(the_first_pattern_that_matches_decides) {
    const auto limits = payload_limits::parse("/api/**=1;/api/image/**=2").value();
    BOOST_TEST(limits.limit("/api/image").value() == 1U);
}

BOOST_AUTO_TEST_CASE(the_pattern_of_a_route_is_a_path) {
    const auto limits = payload_limits::parse("/api/images/*/*=3;/api/images/**=2;/api/**=1").value();
    BOOST_TEST(limits.limit("/api/images/{type}/{key}").value() == 3U);
    BOOST_TEST(limits.limit("/api/images/{type}/{key}/info").value() == 2U);
    BOOST_TEST(limits.limit("/api/user/{userId}/password").value() == 1U);
}

BOOST_AUTO_TEST_CASE(patterns_are_ants) {
    BOOST_TEST(ant_match("/a/*/c", "/a/b/c"));
    BOOST_TEST(!ant_match("/a/*/c", "/a/c"));
    BOOST_TEST(!ant_match("/a/*/c", "/a/b/b/c"));
    BOOST_TEST(ant_match("/a/**/c", "/a/c"));
    BOOST_TEST(ant_match("/a/**/c", "/a/b/b/c"));
    BOOST_TEST(!ant_match("/a/**/c", "/a/b/b/d"));
    BOOST_TEST(ant_match("/a/**/b/**/c", "/a/b/b/x/c"));
    BOOST_TEST(ant_match("/**", "/anything/at/all"));
    BOOST_TEST(ant_match("/**", "/"));
    BOOST_TEST(ant_match("/t?st", "/test"));
    BOOST_TEST(!ant_match("/t?st", "/tst"));
    BOOST_TEST(ant_match("/*.png", "/a.b.png"));
    BOOST_TEST(ant_match("/a*b*c", "/a-b-b-c"));
    BOOST_TEST(!ant_match("/a*b*c", "/a-b-b-d"));
    BOOST_TEST(!ant_match("/a", "/a/"));
    BOOST_TEST(ant_match("", ""));
}

BOOST_AUTO_TEST_CASE(a_pattern_made_to_be_slow_is_not) {
    std::string pattern = "/";
    std::string path = "/";
    for (int i = 0; i < 2000; ++i) {
        pattern += "a*";
        path += "a";
    }
    BOOST_TEST(!ant_match(pattern + "b", path));
    pattern.clear();
    path.clear();
    for (int i = 0; i < 500; ++i) {
        pattern += "/**/a";
        path += "/a/a";
    }
    BOOST_TEST(!ant_match(pattern + "/b", path));
}

BOOST_AUTO_TEST_CASE(spaces_and_empty_entries_around_entries_are_let_pass) {
    const auto limits = payload_limits::parse(" /a=1 ; /b=2;; ").value();
    BOOST_TEST(limits.entries().size() == 2U);
    BOOST_TEST(limits.limit("/b").value() == 2U);
    BOOST_TEST(payload_limits::parse("").value().entries().empty());
}

BOOST_AUTO_TEST_CASE(malformed_entries_are_named) {
    for (const char* text :
         {"/api/**", "/api/**=", "/api/**=-1", "/api/**=1MiB", "=5", "api/**=5", "/a=1;nonsense"}) {
        const auto refused = payload_limits::parse(text);
        BOOST_REQUIRE_MESSAGE(refused.has_error(), text);
        BOOST_TEST((refused.error().code == gallery::errc::invalid_argument));
    }
    BOOST_TEST(payload_limits::parse("/a=1;/b=x").error().message.find("/b=x") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
