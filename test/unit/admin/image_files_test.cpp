// SPDX-License-Identifier: Apache-2.0
// Names of exported files, and names in archives.
#include "admin/image_files.hpp"

#include "boost_test.hpp"

#include <set>
#include <string>

namespace gallery::admin {

BOOST_AUTO_TEST_SUITE(image_files)

BOOST_AUTO_TEST_CASE(a_key_is_its_own_name_unless_something_could_take_it_otherwise) {
    for (const std::string key :
         {"pump.svg", "a b (1).png", "Ölpumpe №1.png", "100+1=x,y;&'@#.png", "a..b", "x.json5"})
        BOOST_TEST(picture_file_name(key) == key);
    const std::pair<std::string, std::string> cases[] = {
        {".", "%2E"},
        {"..", "%2E%2E"},
        {".git", "%2Egit"},
        {"a.", "a%2E"},
        {"a ", "a%20"},
        {"-rf", "%2Drf"},
        {"../../x", "%2E.%2F..%2Fx"},
        {"a\\b", "a%5Cb"},
        {"a:b*?\"<>|c", "a%3Ab%2A%3F%22%3C%3E%7Cc"},
        {"100%.png", "100%25.png"},
        {"a\nb", "a%0Ab"},
        {"a~b", "a%7Eb"},
        {"x.json", "x%2Ejson"},
        {"x.JSON", "x%2EJSON"},
        {".json", "%2Ejson"},
    };
    for (const auto& [key, name] : cases)
        BOOST_TEST(picture_file_name(key) == name);
}

BOOST_AUTO_TEST_CASE(no_two_keys_share_a_name_and_none_is_too_long) {
    std::set<std::string> names;
    std::set<std::string> keys;
    const auto add = [&](const std::string& key) {
        const auto name = picture_file_name(key);
        BOOST_TEST(name.size() <= 200U, key);
        BOOST_TEST(name.find('/') == std::string::npos);
        BOOST_TEST(name != "..");
        names.insert(name);
        names.insert(name + ".json");
        keys.insert(key);
    };
    for (const std::string start : {"", ".", "x", "x.json", "%2E", "~", "ä"}) {
        for (const std::size_t length : {0U, 1U, 150U, 195U, 199U, 200U, 201U, 255U}) {
            for (const std::string fill : {"a", "%", "ä", "€"}) {
                std::string key = start;
                for (std::size_t i = 0; i < length; ++i)
                    key += fill;
                if (length == 0 && fill != "a") continue;
                if (!key.empty()) add(key);
            }
        }
    }
    BOOST_TEST(names.size() == 2 * keys.size());
    // The name of a cut key is not that of another key.
    const auto cut = picture_file_name(std::string(255, 'a'));
    BOOST_TEST(picture_file_name(cut) != cut);
}

BOOST_AUTO_TEST_CASE(a_long_name_is_cut_between_characters) {
    for (std::size_t before = 0; before < 4; ++before) {
        auto key = std::string(before, 'x');
        for (int i = 0; i < 100; ++i)
            key += "€";
        const auto name = picture_file_name(key);
        const auto mark = name.find('~');
        BOOST_TEST_REQUIRE(mark != std::string::npos);
        BOOST_TEST((mark - before) % 3 == 0U);
        key = std::string(before, 'x');
        for (int i = 0; i < 100; ++i)
            key += "%";
        const auto encoded = picture_file_name(key);
        BOOST_TEST((encoded.find('~') - before) % 3 == 0U);
    }
}

BOOST_AUTO_TEST_CASE(names_that_lead_out_of_an_archive_are_refused) {
    for (const std::string name : {"a.png", "x/a.png", "x/y/..a", "...", "a..", "x/"})
        BOOST_TEST(!wrong_in_archive(name).has_value(), name);
    for (const std::string name : {"", "/a", "..", "../a", "x/../a", "x/..", "a\\b", "..\\a", "C:/a", "C:a"})
        BOOST_TEST(wrong_in_archive(name).has_value(), name);
    BOOST_TEST(wrong_in_archive(std::string("a\0b", 3)).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::admin
