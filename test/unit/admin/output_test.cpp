// SPDX-License-Identifier: Apache-2.0
// What people see.
#include "admin/output.hpp"

#include "boost_test.hpp"

#include <boost/json/parse.hpp>

#include <array>
#include <string>

namespace gallery::admin {

namespace {

namespace json = boost::json;

constexpr std::array<field, 3> fields{{
    {"id", [](const json::object& one) { return id_of(one); }},
    {"title", [](const json::object& one) { return text_of(one, "title"); }},
    {"more", [](const json::object& one) { return text_of(one, "more"); }, false},
}};

}  // namespace

BOOST_AUTO_TEST_SUITE(output)

BOOST_AUTO_TEST_CASE(columns_are_aligned_by_characters_not_bytes) {
    const auto all =
        json::parse(R"([{"id":{"id":"ä"},"title":"x"},{"id":{"id":"abc"},"title":"y","more":"z"}])");
    BOOST_TEST(render_list(all.get_array(), fields) == "ID   TITLE\nä    x\nabc  y\n");
}

BOOST_AUTO_TEST_CASE(an_empty_list_is_its_heading) {
    BOOST_TEST(render_list({}, fields) == "ID  TITLE\n");
}

BOOST_AUTO_TEST_CASE(empty_values_are_left_out) {
    const auto one = json::parse(R"({"id":{"id":"abc"},"title":""})");
    BOOST_TEST(render_one(one.get_object(), fields) == "id:     abc\n");
}

BOOST_AUTO_TEST_CASE(nothing_that_was_stored_reaches_the_terminal_as_a_command) {
    BOOST_TEST(printable("a\x1b[31mb\nc\x7f") == "a?[31mb?c?");
    BOOST_TEST(printable("\xc2\x9b"
                         "31m ä") == "?31m ä");
    BOOST_TEST(printable("\xff\x41") == "?A");
}

BOOST_AUTO_TEST_CASE(thingsboards_null_id_is_none) {
    const auto one = json::parse(R"({"customerId":{"id":"13814000-1dd2-11b2-8080-808080808080"}})");
    BOOST_TEST(id_of(one.get_object(), "customerId") == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::admin
