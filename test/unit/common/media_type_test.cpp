// SPDX-License-Identifier: Apache-2.0
// The table of media types, and single characters.
#include <gallery/characters.hpp>
#include <gallery/media_type.hpp>
#include <gallery/text.hpp>

#include "boost_test.hpp"

#include <algorithm>
#include <string>
#include <string_view>

using namespace gallery;

BOOST_AUTO_TEST_SUITE(media_types_and_characters)

BOOST_AUTO_TEST_CASE(every_type_has_an_extension_and_every_extension_a_type) {
    for (const auto& row : media_types) {
        BOOST_TEST(ascii_lower(row.type) == row.type);
        BOOST_TEST(ascii_lower(row.extension) == row.extension);
        BOOST_TEST(std::ranges::count(row.type, '/') == 1);
        BOOST_TEST(row.extension.find_first_of("./") == row.extension.npos);
        BOOST_TEST(!media_type_of(row.extension).empty());
        BOOST_TEST(!extension_of(row.type).empty());
        // What is written is read back as the same type, but for second names of a type.
        const auto back = media_type_of(extension_of(row.type));
        if (back != row.type) BOOST_TEST(extension_of(back) == extension_of(row.type), row.type);
    }
    BOOST_TEST(media_type_of("exe").empty());
    BOOST_TEST(media_type_of("").empty());
    BOOST_TEST(extension_of("image").empty());
    BOOST_TEST(extension_of("").empty());
}

// The filesystem engine derives the names of files from these, so they must not change.
BOOST_AUTO_TEST_CASE(the_extensions_of_stored_images_are_these) {
    BOOST_TEST(extension_of("image/png") == "png");
    BOOST_TEST(extension_of("image/jpeg") == "jpg");
    BOOST_TEST(extension_of("image/gif") == "gif");
    BOOST_TEST(extension_of("image/webp") == "webp");
    BOOST_TEST(extension_of("image/avif") == "avif");
    BOOST_TEST(extension_of("image/heif") == "heif");
    BOOST_TEST(extension_of("image/heic") == "heic");
    BOOST_TEST(extension_of("image/tiff") == "tiff");
    BOOST_TEST(extension_of("image/bmp") == "bmp");
    BOOST_TEST(extension_of("image/x-ms-bmp") == "bmp");
    BOOST_TEST(extension_of("image/x-icon") == "ico");
    BOOST_TEST(extension_of("image/vnd.microsoft.icon") == "ico");
    BOOST_TEST(extension_of("image/svg+xml") == "svg");
    BOOST_TEST(extension_of("image/apng") == "apng");
    BOOST_TEST(extension_of("image/jxl") == "jxl");
    BOOST_TEST(extension_of("image/jp2") == "jp2");
}

BOOST_AUTO_TEST_CASE(case_is_that_of_ascii_alone) {
    for (int i = 0; i < 256; ++i) {
        const char c = static_cast<char>(i);
        BOOST_TEST(ascii_lower(c) == (i >= 'A' && i <= 'Z' ? static_cast<char>(i - 'A' + 'a') : c));
        BOOST_TEST(ascii_upper(c) == (i >= 'a' && i <= 'z' ? static_cast<char>(i - 'a' + 'A') : c));
        const bool is_letter = (i >= 'a' && i <= 'z') || (i >= 'A' && i <= 'Z');
        BOOST_TEST(is_ascii_alphanumeric(c) == (is_letter || (i >= '0' && i <= '9')));
    }
    BOOST_TEST(ascii_upper("tenant-\xC3\xA4") == "TENANT-\xC3\xA4");
    BOOST_TEST(equals_ignoring_case("Content-TYPE", "content-type"));
    BOOST_TEST(equals_ignoring_case("", ""));
    BOOST_TEST(!equals_ignoring_case("a", "ab"));
    BOOST_TEST(!equals_ignoring_case("@", "`"));
    BOOST_TEST(!equals_ignoring_case("[", "{"));
    BOOST_TEST(!equals_ignoring_case("\xC3\x84", "\xC3\xA4"));
}

BOOST_AUTO_TEST_CASE(only_blanks_at_the_ends_are_trimmed) {
    BOOST_TEST(trim(" \t a \t b\t ") == "a \t b");
    BOOST_TEST(trim("\na\r") == "\na\r");
    BOOST_TEST(trim(" \t ").empty());
    BOOST_TEST(trim("").empty());
}

BOOST_AUTO_TEST_CASE(a_character_is_written_in_utf_8) {
    const auto written = [](char32_t c) {
        std::string out;
        append_utf8(out, c);
        return out;
    };
    BOOST_TEST(written(0) == std::string(1, '\0'));
    BOOST_TEST(written(0x7F) == "\x7F");
    BOOST_TEST(written(0x80) == "\xC2\x80");
    BOOST_TEST(written(0x7FF) == "\xDF\xBF");
    BOOST_TEST(written(0x800) == "\xE0\xA0\x80");
    BOOST_TEST(written(0x20AC) == "\xE2\x82\xAC");
    BOOST_TEST(written(0xFFFF) == "\xEF\xBF\xBF");
    BOOST_TEST(written(0x10000) == "\xF0\x90\x80\x80");
    BOOST_TEST(written(0x10FFFF) == "\xF4\x8F\xBF\xBF");
    for (const char32_t wrong : {0xD800, 0xDFFF, 0x110000, 0x7FFFFFFF})
        BOOST_TEST(written(wrong) == "\xEF\xBF\xBD");
    for (char32_t c = 0; c < 0x110000; c += 7)
        BOOST_TEST_REQUIRE(is_utf8(written(c)));
}

BOOST_AUTO_TEST_SUITE_END()
