// SPDX-License-Identifier: Apache-2.0
#include "images/keys.hpp"

#include "boost_test.hpp"

#include <set>

using namespace gallery::images;

namespace {

std::string times(int n, const std::string& text) {
    std::string out;
    for (int i = 0; i < n; ++i)
        out += text;
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(keys)

BOOST_AUTO_TEST_CASE(names_of_files_are_names) {
    for (const std::string good :
         {"logo.png", "with space.png", "Größe.svg", "a%2Fb", "...", "..x", "x.", "-", "_(1)", "名前.png"})
        BOOST_TEST(check_name(good, "key").has_value(), good);
    BOOST_TEST(check_name(times(255, "ü"), "key").has_value());
}

BOOST_AUTO_TEST_CASE(paths_controls_and_broken_text_are_no_names) {
    const std::string bad[] = {"",
                               ".",
                               "..",
                               "a/b",
                               "../x",
                               "a\\b",
                               std::string("a\0b", 3),
                               "a\nb",
                               "a\x7f",
                               "a\xC2\x85",
                               "\xff",
                               "\xC0\xAF",
                               "\xED\xA0\x80",
                               times(256, "x"),
                               times(256, "ü")};
    for (const auto& name : bad)
        BOOST_TEST(check_name(name, "key").has_error(), name);
}

BOOST_AUTO_TEST_CASE(a_taken_name_is_numbered_before_its_extension) {
    BOOST_TEST(key_candidate("logo.png", 0) == "logo.png");
    BOOST_TEST(key_candidate("logo.png", 1) == "logo_(1).png");
    BOOST_TEST(key_candidate("logo.tar.gz", 12) == "logo.tar_(12).gz");
    BOOST_TEST(key_candidate("logo", 3) == "logo_(3)");
    BOOST_TEST(key_candidate(".png", 1) == "_(1).png");
    BOOST_TEST(key_candidate("dot.", 1) == "dot_(1)");
    BOOST_TEST(key_candidate("a.b.", 2) == "a.b_(2)");
    BOOST_TEST(key_candidate("a..", 1) == "a._(1)");
    BOOST_TEST(key_candidate("..png", 1) == "._(1).png");
}

BOOST_AUTO_TEST_CASE(a_numbered_key_keeps_to_255_characters) {
    BOOST_TEST(key_candidate(times(251, "ü") + ".png", 1) == times(247, "ü") + "_(1).png");
    BOOST_TEST(key_candidate(times(255, "x"), 10) == times(250, "x") + "_(10)");
    BOOST_TEST(key_candidate("a." + times(253, "x"), 1) == "a." + times(249, "x") + "_(1)");
    for (std::size_t n : {1U, 99U, 100'000U}) {
        const auto key = key_candidate(times(200, "日") + "." + times(54, "本"), n);
        BOOST_TEST(check_name(key, "key").has_value());
    }
}

BOOST_AUTO_TEST_CASE(public_keys_are_32_alphanumerics_and_differ) {
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) {
        const auto key = new_public_key();
        BOOST_TEST(is_public_key(key));
        BOOST_TEST(seen.insert(key).second);
    }
    for (const std::string bad :
         {"", "abc", "0123456789abcdef0123456789abcde-", "0123456789abcdef0123456789abcdef0"})
        BOOST_TEST(!is_public_key(bad));
}

BOOST_AUTO_TEST_SUITE_END()
