// SPDX-License-Identifier: Apache-2.0
#include "boost_test.hpp"

#include "config/substitute.hpp"

#include <map>

using namespace gallery::config;

namespace {

environment with(std::map<std::string, std::string> values) {
    return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
        const auto found = values.find(name);
        return found == values.end() ? std::nullopt : std::optional(found->second);
    };
}

}  // namespace

BOOST_AUTO_TEST_SUITE(substituting)

BOOST_AUTO_TEST_CASE(the_variable_wins_over_the_default) {
    BOOST_TEST(substitute("${PORT:8080}", with({})).value().text == "8080");
    const auto set = substitute("${PORT:8080}", with({{"PORT", "9090"}})).value();
    BOOST_TEST(set.text == "9090");
    BOOST_TEST(set.used.size() == 1U);
    BOOST_TEST(set.names.at(0) == "PORT");
}

BOOST_AUTO_TEST_CASE(a_variable_set_to_nothing_is_set) {
    BOOST_TEST(substitute("${CC:cubic}", with({{"CC", ""}})).value().text.empty());
}

BOOST_AUTO_TEST_CASE(defaults_may_hold_colons_and_be_empty) {
    BOOST_TEST(substitute("${A:/x=1;/y:z=2}", with({})).value().text == "/x=1;/y:z=2");
    BOOST_TEST(substitute("${A:}", with({})).value().text.empty());
}

BOOST_AUTO_TEST_CASE(several_references_and_plain_text_go_together) {
    BOOST_TEST(substitute("a${B:b}c${D:d}e$f", with({{"D", "!"}})).value().text == "abc!e$f");
}

BOOST_AUTO_TEST_CASE(a_variables_text_is_not_substituted_again) {
    BOOST_TEST(substitute("${A:}", with({{"A", "${B:x}"}, {"B", "y"}})).value().text == "${B:x}");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_resolved_is_an_error) {
    BOOST_TEST(substitute("${A", with({})).has_error());
    BOOST_TEST(substitute("${A}", with({})).has_error());
    BOOST_TEST(substitute("${A}", with({{"A", "x"}})).value().text == "x");
    BOOST_TEST(substitute("${:x}", with({})).has_error());
    BOOST_TEST(substitute("${A-B:x}", with({})).has_error());
}

BOOST_AUTO_TEST_SUITE_END()
