// SPDX-License-Identifier: Apache-2.0
// Names of exported files, and names in archives.
#include "admin/image_files.hpp"

#include "boost_test.hpp"

#include <gallery/text.hpp>

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gallery::admin {

BOOST_AUTO_TEST_SUITE(image_files)

BOOST_AUTO_TEST_CASE(a_key_is_its_own_name_unless_something_could_take_it_otherwise) {
    for (const std::string key : {"pump.svg", "a b (1).png", "Ölpumpe №1.png", "100+1=x,y;&'@#.png", "a..b",
                                  "x.json5", "console.png", "a.con", "com.png", "com10", "COMx.svg", "nul1"})
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
        {"CON", "%43ON"},
        {"aux.svg", "%61ux.svg"},
        {"Nul .tar.gz", "%4Eul .tar.gz"},
        {"com7.png", "%63om7.png"},
        {"LPT\u00b2", "%4CPT\u00b2"},
        {"conin$.x", "%63onin$.x"},
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

BOOST_AUTO_TEST_CASE(similar_keys_have_names_that_differ_in_more_than_case) {
    const std::vector<std::string_view> keys{
        "pump.png", "Pump.png", "PUMP.PNG", "Stra\u00dfe", "STRASSE", "\u00c4", "\u00e4",   "A\u0308",
        "Con",      "con",      "x",        "Y.json",      "y.JSON",  "x",      "100%.Png", "100%.png"};
    const images::similar_keys similar(keys);
    std::set<std::string> names;
    for (const auto key : keys)
        names.insert(fold_case(picture_file_name(key, similar)));
    BOOST_TEST(names.size() == keys.size() - 1);  // one is there twice
    BOOST_TEST(!similar.contains("x"));
    BOOST_TEST(picture_file_name("x", similar) == "x");
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"pump.png", "pump.png"},
        {"Pump.png", "%50ump.png"},
        {"PUMP.PNG", "%50%55%4D%50.%50%4E%47"},
        {"Stra\u00dfe", "%53tra%C3%9Fe"},
        {"\u00c4", "%C3%84"},
        {"A\u0308", "%41%CC%88"},
        {"Con", "%43on"},
        {"con", "%63on"},
        {"y.JSON", "y%2E%4A%53%4F%4E"},
        {"100%.Png", "100%25.%50ng"},
    };
    for (const auto& [key, name] : cases)
        BOOST_TEST(picture_file_name(key, similar) == name);
    // A key of another export is as if it were alone.
    BOOST_TEST(picture_file_name("Valve", similar) == "Valve");
    BOOST_TEST(picture_file_name("Valve", images::similar_keys::of("Valve")) == "%56alve");
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
