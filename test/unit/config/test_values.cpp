// SPDX-License-Identifier: Apache-2.0
#define GALLERY_TEST_MODULE "config"
#include "boost_test.hpp"

#include "config/values.hpp"

using namespace gallery::config;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(values)

BOOST_AUTO_TEST_CASE(booleans_are_true_and_false_and_nothing_else) {
    BOOST_TEST(parse_bool("true").value());
    BOOST_TEST(!parse_bool("false").value());
    for (const char* text : {"", "TRUE", "True", "yes", "1", "0", " true", "true "}) {
        BOOST_TEST(!parse_bool(text).has_value(), text);
    }
}

BOOST_AUTO_TEST_CASE(numbers_are_digits_within_64_bits) {
    BOOST_TEST(parse_unsigned("0").value() == 0U);
    BOOST_TEST(parse_unsigned("18446744073709551615").value() == 18446744073709551615ULL);
    for (const char* text :
         {"", "-1", "+1", "1 ", " 1", "1.0", "0x10", "1e3", "18446744073709551616", "8080a"}) {
        BOOST_TEST(!parse_unsigned(text).has_value(), text);
    }
}

BOOST_AUTO_TEST_CASE(sizes_are_bytes_or_have_a_unit) {
    BOOST_TEST(parse_size("0").value() == 0U);
    BOOST_TEST(parse_size("52428800").value() == 52428800U);
    BOOST_TEST(parse_size("512B").value() == 512U);
    BOOST_TEST(parse_size("64MiB").value() == 64U << 20);
    BOOST_TEST(parse_size("64M").value() == 64U << 20);
    BOOST_TEST(parse_size("3K").value() == 3072U);
    BOOST_TEST(parse_size("2GB").value() == 2'000'000'000U);
    BOOST_TEST(parse_size("8TiB").value() == 8ULL << 40);
    for (const char* text : {"", "MiB", "64 MiB", "64mib", "64m", "64k", "1.5GiB", "-1MiB",
                             "9223372036854775808", "9007199254740992TiB"}) {
        BOOST_TEST(!parse_size(text).has_value(), text);
    }
}

BOOST_AUTO_TEST_CASE(durations_have_a_unit) {
    BOOST_TEST((parse_duration("250ms") == 250ms));
    BOOST_TEST((parse_duration("30s") == 30s));
    BOOST_TEST((parse_duration("5m") == 5min));
    BOOST_TEST((parse_duration("12h") == 12h));
    BOOST_TEST((parse_duration("7d") == 168h));
    BOOST_TEST((parse_duration("0") == 0ms));
    for (const char* text : {"", "30", "s", "30 s", "30S", "-30s", "1.5s", "99999999999999999h", "40000d"}) {
        BOOST_TEST(!parse_duration(text).has_value(), text);
    }
}

BOOST_AUTO_TEST_CASE(base64_is_padded_and_has_one_text_for_each_value) {
    BOOST_TEST(parse_base64("").value().empty());
    BOOST_TEST(parse_base64("Zm9vYmFy").value() == "foobar");
    BOOST_TEST(parse_base64("Zm9vYg==").value() == "foob");
    BOOST_TEST(parse_base64("Zm9vYmE=").value() == "fooba");
    BOOST_TEST(parse_base64("+/+/").value() == "\xfb\xff\xbf");
    for (const char* text :
         {"Zm9vYg", "Zm9vYg=", "Zm9vYh==", "Zm9vYmF=", "Zg==Zg==", "Z===", "Zm9 ", "-_-_", "====", "Zm=v"}) {
        BOOST_TEST(!parse_base64(text).has_value(), text);
    }
}

BOOST_AUTO_TEST_SUITE_END()
