// SPDX-License-Identifier: Apache-2.0
#include "scrub/saved.hpp"

#include "boost_test.hpp"

#include <string>
#include <vector>

namespace gallery::scrub::test {

BOOST_AUTO_TEST_SUITE(saved)

namespace {

saved_scrub example() {
    saved_scrub out;
    out.store = "rocksdb:/data/rocksdb";
    out.idle_since = 1;
    out.is_running = true;
    out.started_at = 2;
    out.completed_at = 3;
    out.rate = 4;
    out.at = stage::kept;
    out.cursor = std::string("\x00\xff\x01", 3);
    out.done = {5, 6, 7, 8, 9, 16};
    out.total = {10, 11, 12, 13, 0, 0};
    damaged_body bad;
    bad.id.value.data[3] = 1;
    bad.content_rev = 14;
    bad.which = representation::preview;
    bad.tenant.value.data[4] = 2;
    bad.key = "a \"key\" \xc3\xa4";
    bad.problem = "it is damaged";
    bad.found_at = 15;
    out.damage = damage_list({bad});
    out.problem = "stopped";
    out.unread = "a record";
    return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_stored_comes_back) {
    const auto all = parse_saved_scrub(to_json(example()));
    BOOST_REQUIRE(all.has_value());
    BOOST_TEST(bool(*all == example()));
    const auto nothing = parse_saved_scrub(to_json({}));
    BOOST_REQUIRE(nothing.has_value());
    BOOST_TEST(bool(*nothing == saved_scrub()));
}

BOOST_AUTO_TEST_CASE(a_long_problem_is_cut_between_characters) {
    auto one = example();
    auto bad = one.damage.all().front();
    bad.problem = "x";
    for (int i = 0; i < 300; ++i)
        bad.problem += "\xc3\xa4";
    one.damage = damage_list({bad});
    const auto read = parse_saved_scrub(to_json(one));
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST(read->damage.all().front().problem.size() == 199U);
}

BOOST_AUTO_TEST_CASE(other_texts_are_refused) {
    for (const std::string text :
         {"", "{", "[]", "{}", R"({"running":true,"stage":"other","cursor":""})",
          R"({"running":true,"stage":"kept","cursor":"x"})", R"({"running":1,"stage":"kept","cursor":""})",
          R"({"running":true,"stage":"kept","cursor":"","damaged":[{"id":"x"}]})"})
        BOOST_TEST(!parse_saved_scrub(text).has_value(), text);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::scrub::test
