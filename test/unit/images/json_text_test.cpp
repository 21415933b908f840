// SPDX-License-Identifier: Apache-2.0
#include "images/json_text.hpp"

#include "boost_test.hpp"

#include <string>
#include <string_view>

using namespace gallery;
using namespace gallery::images;

namespace {

std::string utf16(std::u16string_view text, bool is_little) {
    std::string out = is_little ? "\xFF\xFE" : "\xFE\xFF";
    for (const char16_t unit : text) {
        const char low = static_cast<char>(unit & 0xFF);
        const char high = static_cast<char>(unit >> 8);
        out += is_little ? low : high;
        out += is_little ? high : low;
    }
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(json_texts)

// A document can have 50 MB, and all of it is counted once.
BOOST_AUTO_TEST_CASE(utf8_is_not_copied) {
    for (const std::string mark : {"", "\xEF\xBB\xBF"}) {
        auto text = mark + std::string(100'000, 'x');
        const auto* const place = text.data();
        const auto decoded = decode_json_text(std::move(text)).value();
        BOOST_TEST(static_cast<const void*>(decoded.data()) == static_cast<const void*>(place));
        BOOST_TEST(decoded == std::string(100'000, 'x'));
    }
    for (const std::string text : {"", "1", "\xEF", "\xEF\xBB", "\xFF"})
        BOOST_TEST(decode_json_text(text).value() == text);
}

BOOST_AUTO_TEST_CASE(utf16_of_any_length_becomes_utf8) {
    std::u16string wide;
    std::string narrow;
    for (int i = 0; i < 30'001; ++i) {
        wide += u"a\u00e9\u20ac\U0001F600";
        narrow += "a\u00e9\u20ac\U0001F600";
    }
    for (const bool is_little : {true, false}) {
        const auto text = utf16(wide, is_little);
        BOOST_TEST((decode_json_text(text).value() == narrow));
        BOOST_TEST(decode_json_text(text).value().capacity() == narrow.size());
        BOOST_TEST((decode_json_text(text + 'x').error().code == errc::invalid_argument));
    }
    BOOST_TEST((decode_json_text(utf16(wide.substr(0, 4), true)).error().code == errc::invalid_argument));
}

BOOST_AUTO_TEST_SUITE_END()
