// SPDX-License-Identifier: Apache-2.0
#include "accounts/rate_format.hpp"
#include "boost_test.hpp"

#include <string>
#include <utility>
#include <vector>

namespace {

using namespace gallery;
using namespace gallery::accounts;

std::string refusal_of(const std::string& text) {
    const auto parsed = parse_rates(text);
    BOOST_TEST_REQUIRE(!parsed.has_value());
    BOOST_TEST((parsed.error().code == errc::invalid_argument));
    return parsed.error().message;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rate_format)

BOOST_AUTO_TEST_CASE(rates_are_returned_in_the_order_of_the_text) {
    const std::vector<rate> two{{.requests = 100, .seconds = 1}, {.requests = 2000, .seconds = 60}};
    BOOST_TEST((parse_rates("100:1,2000:60").value() == two));
    const std::vector<rate> largest{{.requests = 4294967295, .seconds = 4294967295}};
    BOOST_TEST((parse_rates("4294967295:4294967295").value() == largest));
    BOOST_TEST(parse_rates("").value().empty());
}

BOOST_AUTO_TEST_CASE(a_malformed_text_is_refused_with_the_part_that_is_wrong) {
    const std::pair<std::string, std::string> texts[] = {
        {"100", "'100'"},
        {"100:1,7", "'7'"},
        {"100:1,", "''"},
        {",100:1", "''"},
        {":1", "':1' must begin"},
        {"0:1", "'0:1' must begin"},
        {"-1:1", "'-1:1' must begin"},
        {"+1:1", "'+1:1' must begin"},
        {" 1:1", "' 1:1' must begin"},
        {"1.5:1", "'1.5:1' must begin"},
        {"4294967296:1", "'4294967296:1' must begin"},
        {"1:", "'1:' must end"},
        {"1:0", "'1:0' must end"},
        {"1:1 ", "'1:1 ' must end"},
        {"1:1:1", "'1:1:1' must end"},
        {"1:1;2:2", "'1:1;2:2' must end"},
        {"1:4294967296", "'1:4294967296' must end"},
        {"10:1,20:60,30:1", "'30:1' repeats"},
    };
    for (const auto& [text, part] : texts) {
        BOOST_TEST_CONTEXT(text) {
            BOOST_TEST(refusal_of(text).find(part) != std::string::npos);
        }
    }
}

BOOST_AUTO_TEST_CASE(the_number_of_rates_is_limited) {
    std::string text = "1:1";
    for (std::size_t i = 2; i <= max_rates; ++i)
        text += ",1:" + std::to_string(i);
    BOOST_TEST(parse_rates(text).value().size() == max_rates);
    BOOST_TEST(refusal_of(text + ",1:99").find("more than 8 rates") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_message_repeats_no_long_text) {
    BOOST_TEST(refusal_of(std::string(10'000, 'x')).size() < 200U);
}

BOOST_AUTO_TEST_SUITE_END()
