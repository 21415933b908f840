// SPDX-License-Identifier: Apache-2.0
#include "config/nearest.hpp"

#include "boost_test.hpp"

#include <string>
#include <string_view>
#include <vector>

using gallery::config::nearest;

BOOST_AUTO_TEST_SUITE(nearest_names)

BOOST_AUTO_TEST_CASE(each_kind_of_mistake_counts_once) {
    const std::vector<std::string_view> known{"server.port"};
    for (const char* typed :
         {"server.prt", "server.pport", "server.part", "server.prot", "erver.port", "Server.port"}) {
        BOOST_TEST(nearest(typed, known, 1) == "server.port", typed);
        BOOST_TEST(nearest(typed, known, 0).empty(), typed);
    }
    BOOST_TEST(nearest("server.port", known, 0) == "server.port");
    BOOST_TEST(nearest("srever.prot", known, 1).empty());
    BOOST_TEST(nearest("srever.prot", known, 2) == "server.port");
    BOOST_TEST(nearest("", known, 10).empty());
    BOOST_TEST(nearest("", known, 11) == "server.port");
}

BOOST_AUTO_TEST_CASE(the_nearest_is_found_and_the_first_of_several) {
    const std::vector<std::string_view> known{"aaab", "aabb", "abbb", "aabb "};
    BOOST_TEST(nearest("aabb", known, 2) == "aabb");
    BOOST_TEST(nearest("aaxb", known, 2) == "aaab");
    BOOST_TEST(nearest("zzzz", known, 3).empty());
    BOOST_TEST(nearest("a", {}, 3).empty());
}

BOOST_AUTO_TEST_CASE(a_text_of_any_length_is_compared_in_bounded_time) {
    const std::string longest(64, 'x');
    const std::vector<std::string_view> known{"a", longest};
    BOOST_TEST(nearest(longest, known, 0) == longest);
    BOOST_TEST(nearest(longest + "x", known, 5).empty());
    const std::string huge(10'000'000, 'a');  // NOLINT(bugprone-string-constructor): meant to be large
    BOOST_TEST(nearest(huge, known, 5).empty());
    BOOST_TEST(nearest("a", {huge}, 3).empty());
    BOOST_TEST(nearest(std::string_view("\xFF\0", 2), known, 2) == "a");
}

BOOST_AUTO_TEST_SUITE_END()
