// SPDX-License-Identifier: Apache-2.0
// Names of exported files for people. Those for imports are tested with gallery-admin.
#include "images/exported_files.hpp"

#include "boost_test.hpp"

#include <gallery/text.hpp>

#include <string>
#include <utility>

namespace gallery::images {

BOOST_AUTO_TEST_SUITE(exported_files)

BOOST_AUTO_TEST_CASE(a_name_for_people_is_as_it_is_but_for_what_file_systems_refuse) {
    for (const std::string name : {"pump.svg", "a b (1).png", "Ölpumpe №1.png", "50% off~.png", "a..b", "x"})
        BOOST_TEST(readable_file_name(name) == name);
    const std::pair<std::string, std::string> cases[] = {
        {"", "_"},
        {"..", "_.._"},
        {".htaccess", "_.htaccess"},
        {"-rf", "_-rf"},
        {"../../x", "_.._.._x"},
        {"C:\\x.png", "C__x.png"},
        {"a\nb", "a_b"},
        {"a.", "a._"},
        {"a?*\"<>|.png", "a______.png"},
        {"Con.png", "_Con.png"},
        {"aux", "_aux"},
        {"lpt1 .svg", "_lpt1 .svg"},
        {"com10.svg", "com10.svg"},
        {"a\xe2\x80\xaegnp.exe", "a_gnp.exe"},
        {"a\xe2\x81\xa9", "a_"},
        {std::string(199, 'x') + ". and more than fits", std::string(199, 'x') + "_"},
    };
    for (const auto& [name, readable] : cases)
        BOOST_TEST(readable_file_name(name) == readable);
}

BOOST_AUTO_TEST_CASE(a_number_is_in_front_of_the_extension) {
    BOOST_TEST(readable_file_name("pump.svg", 2) == "pump (2).svg");
    BOOST_TEST(readable_file_name("pump", 13) == "pump (13)");
    BOOST_TEST(readable_file_name("v1.2 of a very long extension", 2) == "v1.2 of a very long extension (2)");
}

BOOST_AUTO_TEST_CASE(a_long_name_is_cut_between_characters_and_keeps_its_extension) {
    std::string name;
    for (int i = 0; i < 150; ++i)
        name += "ü";
    for (const unsigned n : {1U, 2U, 100'000U}) {
        const auto cut = readable_file_name(name + ".png", n);
        BOOST_TEST(cut.size() <= 200U);
        BOOST_TEST(cut.size() > 180U);
        BOOST_TEST(is_utf8(cut));
        BOOST_TEST(cut.ends_with(".png"));
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::images
