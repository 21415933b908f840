// SPDX-License-Identifier: Apache-2.0
#include "images/json_strings.hpp"

#include "boost_test.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace gallery;
using namespace gallery::images;

namespace {

namespace json = boost::json;

/// The strings that are values with their paths, as the walk finds them.
std::vector<std::pair<std::string, std::string>> walk(const std::string& text) {
    std::vector<std::pair<std::string, std::string>> out;
    json_strings strings(text);
    while (strings.next())
        out.emplace_back(strings.path(), unescape(strings.literal()));
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(strings_of_json)

BOOST_AUTO_TEST_CASE(every_string_that_is_a_value_is_found_at_its_path) {
    const std::string text =
        R"( {"a":"1", "b" : [ "2", 3, ["4", {"c/d~e":"5"}], true ], "":"6", "é":{"x":{}, "y":[], "z":"7"}} )";
    BOOST_TEST_REQUIRE(check_json(text).has_value());
    const auto found = walk(text);
    BOOST_TEST(found.size() == 6U);
    const auto parsed = json::parse(text);
    for (const auto& [path, value] : found)
        BOOST_TEST(parsed.at_pointer(path).as_string() == value);
    BOOST_TEST(found[3].first == "/b/2/1/c~1d~0e");
}

BOOST_AUTO_TEST_CASE(a_document_may_be_one_string) {
    const auto found = walk(R"("alone")");
    BOOST_TEST_REQUIRE(found.size() == 1U);
    BOOST_TEST(found[0].first.empty());
    BOOST_TEST(found[0].second == "alone");
}

BOOST_AUTO_TEST_CASE(escapes_are_undone_and_do_not_end_a_string) {
    for (const std::string literal :
         {R"(\"\\\/\b\f\n\r\t)", R"(\\)", R"(\\\")", R"(a\\\\)", R"(\u0041\u00e9\u20AC\ud83d\ude00x)",
          R"(\u0000)", R"()", R"(no escape)", R"(,:{}[])"}) {
        const auto text = "[\"" + literal + "\",\"next\"]";
        BOOST_TEST_CONTEXT(text) {
            BOOST_TEST_REQUIRE(check_json(text).has_value());
            const auto found = walk(text);
            BOOST_TEST_REQUIRE(found.size() == 2U);
            BOOST_TEST(found[0].second == json::parse(text).at(0).as_string());
            BOOST_TEST(found[1].second == "next");
        }
    }
}

BOOST_AUTO_TEST_CASE(only_the_beginning_is_unescaped_if_that_is_asked_for) {
    BOOST_TEST(unescape(R"(abc\u0041defghij)", 4) == "abcA");
    BOOST_TEST(unescape("aaaaaéé", 6) == "aaaaaé");
    BOOST_TEST(unescape(std::string(1'000'000, 'x'), 10).size() == 10U);
}

BOOST_AUTO_TEST_CASE(what_is_not_json_is_refused_with_its_place) {
    for (const std::string text :
         {"", " ", "{", "[1,]", "{\"a\":1,}", "nul", "\"", "\"\\\"", "\"\\ud800\"", "\"\\x\"", "\"\xFF\"",
          "[1] [2]", "[1]x", "01", "\"\n\"", "// no\n1", "\xEF\xBB\xBF[]", "{\"a\" 1}", "[\"a\" \"b\"]"}) {
        BOOST_TEST_CONTEXT(text) {
            const auto checked = check_json(text);
            BOOST_TEST_REQUIRE(checked.has_error());
            BOOST_TEST((checked.error().code == errc::invalid_argument));
            BOOST_TEST(checked.error().message.find("near byte") != std::string::npos);
        }
    }
}

BOOST_AUTO_TEST_CASE(nesting_is_limited) {
    const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
    BOOST_TEST(check_json(nested(max_json_depth)).has_value());
    const auto refused = check_json(nested(max_json_depth + 1));
    BOOST_TEST_REQUIRE(refused.has_error());
    BOOST_TEST(refused.error().message.find("levels deep") != std::string::npos);
    // Without a limit this would use up the stack.
    BOOST_TEST(check_json(std::string(50'000'000, '[')).has_error());
}

BOOST_AUTO_TEST_CASE(long_paths_are_cut_off) {
    const auto text = "{\"" + std::string(100'000, 'n') + "\":{\"inner\":\"x\"}}";
    const auto found = walk(text);
    BOOST_TEST_REQUIRE(found.size() == 1U);
    BOOST_TEST(found[0].first.size() < 500U);
    BOOST_TEST(found[0].first.ends_with("..."));
}

BOOST_AUTO_TEST_SUITE_END()
