// SPDX-License-Identifier: Apache-2.0
#define GALLERY_TEST_MODULE "common"
#include <gallery/characters.hpp>
#include <gallery/text.hpp>

#include "boost_test.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <thread>
#include <vector>

using gallery::collation_key;

BOOST_AUTO_TEST_SUITE(collation)

BOOST_AUTO_TEST_CASE(keys_have_the_order_of_unicodes_root_collation) {
    // As CLDR's root collation has them: spaces and punctuation, digits, Latin, Greek, Cyrillic, Han. The
    // first difference of letters counts, then that of accents, then that of case.
    const std::vector<std::string> in_order = {
        "",       " ",    "_",    "-",      "!",     "(",    "%",    "10",    "7",
        "a",      "A",    "á",    "ä",      "Ä",     "ab",   "äb",   "Äpfel", "b",
        "Banane", "cafe", "café", "Cafe 2", "coté",  "pump", "Pump", "PUMP",  "Pump 1",
        "Pump 2", "ß",    "st",   "Stab",   "zebra", "Ω",    "я",    "中"};
    // In parentheses: Boost.Test itself compares strings by char, which is signed.
    for (std::size_t i = 1; i < in_order.size(); ++i)
        BOOST_TEST((collation_key(in_order[i - 1]) < collation_key(in_order[i])),
                   in_order[i - 1] << " before " << in_order[i]);
}

BOOST_AUTO_TEST_CASE(spellings_of_one_text_are_a_tie) {
    BOOST_TEST(collation_key("\xC3\x84") == collation_key("A\xCC\x88"));
    BOOST_TEST(collation_key("\xE2\x84\xAB") ==
               collation_key("\xC3\x85"));  // the sign of Angstrom, and A with a ring
    // Two marks in either order, where they do not touch: dot below, then above.
    BOOST_TEST(collation_key("s\xCC\xA3\xCC\x87") == collation_key("s\xCC\x87\xCC\xA3"));
    BOOST_TEST(collation_key("a") != collation_key("A"));
}

BOOST_AUTO_TEST_CASE(texts_are_compared_as_their_keys) {
    std::mt19937_64 dice(1);
    std::vector<char32_t> characters;
    for (char32_t c = 1; c < 0x250; ++c)
        characters.push_back(c);
    // Marks, signs that are ignored, several scripts, a surrogate pair, characters that fold or decompose.
    for (const char32_t c :
         {0x300U,  0x307U,   0x308U,  0x323U, 0x345U,  0x3A3U,  0x3C2U,  0x410U,  0x430U, 0x212BU, 0x1E9EU,
          0x4E2DU, 0x1F418U, 0xFFFDU, 0xADU,  0x200DU, 0x30ABU, 0xAC00U, 0x1100U, 0x5D0U, 0xFB01U})
        characters.insert(characters.end(), 8, c);
    const auto text = [&] {
        std::string made;
        for (auto left = dice() % 6; left > 0; --left)
            gallery::append_utf8(made, characters[dice() % characters.size()]);
        return made;
    };
    const auto sign = [](int value) { return (value > 0) - (value < 0); };
    for (int step = 0; step < 50'000; ++step) {
        const auto common = text();
        const auto a = common + text();
        const auto b = dice() % 4 == 0 ? text() : common + text();
        const int wanted = sign(collation_key(a).compare(collation_key(b)));
        BOOST_TEST_REQUIRE(sign(gallery::compare_collated(a, b)) == wanted, a << " and " << b);
    }
    BOOST_TEST(gallery::compare_collated("", "") == 0);
    BOOST_TEST(gallery::compare_collated("\xC3\x84", "A\xCC\x88") == 0);
    BOOST_TEST(gallery::compare_collated({}, "a") < 0);
}

BOOST_AUTO_TEST_CASE(keys_have_no_nul_and_hold_long_texts) {
    std::string text;
    for (int i = 0; i < 300; ++i)
        text += "\xF0\x9F\x90\x98\xC3\x84z";
    const auto key = collation_key(text);
    BOOST_TEST(key.find('\0') == key.npos);
    BOOST_TEST(key.size() > text.size() / 2);
    BOOST_TEST((key < collation_key(text + "a")));
    BOOST_TEST(key == collation_key(text));
    for (char c = 1; c < 127; ++c)
        BOOST_TEST(collation_key(std::string(1, c)).find('\0') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(threads_get_the_same_keys) {
    const std::string text = "M\xC3\xBCller & S\xC3\xB6hne 7";
    const auto expected = collation_key(text);
    std::vector<std::string> got(4);
    {
        std::vector<std::jthread> threads;
        for (auto& mine : got)
            threads.emplace_back([&mine, &text] {
                for (int i = 0; i < 2000; ++i)
                    mine = collation_key(text);
            });
    }
    BOOST_TEST(std::all_of(got.begin(), got.end(), [&](const auto& key) { return key == expected; }));
}

BOOST_AUTO_TEST_CASE(the_rules_have_a_version) {
    BOOST_TEST(!gallery::collation_version().empty());
    BOOST_TEST(gallery::collation_version() == gallery::collation_version());
}

BOOST_AUTO_TEST_SUITE_END()
