// SPDX-License-Identifier: Apache-2.0
// The names of values, and a digest as text.
#include <gallery/encode.hpp>
#include <gallery/sub_type.hpp>

#include "boost_test.hpp"

#include <string>

using namespace gallery;

BOOST_AUTO_TEST_SUITE(names)

BOOST_AUTO_TEST_CASE(every_value_has_one_name_that_is_read_back) {
    for (const auto& each : sub_types.entries) {
        BOOST_TEST(!each.name.empty());
        BOOST_TEST(sub_types.name_of(each.value) == each.name);
        BOOST_TEST((sub_types.find(each.name) == each.value));
    }
    BOOST_TEST(!sub_types.find("").has_value());
    BOOST_TEST(!sub_types.find("image").has_value());
    BOOST_TEST(sub_types.name_of(static_cast<image_sub_type>(200)).empty());
}

BOOST_AUTO_TEST_CASE(an_unknown_name_is_refused_with_those_that_there_are) {
    BOOST_TEST((parse_sub_type("SCADA_SYMBOL", "x").value() == image_sub_type::scada_symbol));
    const auto unknown = parse_sub_type("POSTER", "The field 'subType'");
    BOOST_TEST_REQUIRE(!unknown.has_value());
    BOOST_TEST(unknown.error().message == "The field 'subType' is 'POSTER'. It takes IMAGE or SCADA_SYMBOL.");
    BOOST_TEST(parse_sub_type("\xff", "It").error().message ==
               "It is '(not a text)'. It takes IMAGE or SCADA_SYMBOL.");
}

BOOST_AUTO_TEST_CASE(the_digits_of_a_digest_are_those_of_to_hex) {
    for (int i = 0; i < 256; ++i) {
        sha256_digest digest{};
        for (std::size_t k = 0; k < digest.size(); ++k)
            digest[k] = static_cast<std::byte>(i + static_cast<int>(k) * 37);
        const auto digits = hex_digits(digest);
        BOOST_TEST(std::string(digits.data(), digits.size()) == to_hex(digest));
    }
}

BOOST_AUTO_TEST_SUITE_END()
