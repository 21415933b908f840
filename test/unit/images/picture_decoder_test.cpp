// SPDX-License-Identifier: Apache-2.0
#include "images/picture_decoder.hpp"

#include "boost_test.hpp"

#include <string>
#include <utility>
#include <vector>

using namespace gallery::images;

namespace {

gallery::result<std::string> decode(const std::string& text, std::size_t piece) {
    picture_decoder decoder;
    std::vector<char> out;
    for (std::size_t at = 0; at < text.size(); at += piece) {
        if (auto fed = decoder.feed(std::string_view(text).substr(at, piece), out); !fed) return fed.error();
    }
    if (auto ended = decoder.finish(out); !ended) return ended.error();
    return std::string(out.begin(), out.end());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(picture_decoding)

BOOST_AUTO_TEST_CASE(the_spellings_of_other_programs_are_read) {
    const std::pair<std::string, std::string> spellings[] = {
        {"Zg", "f"},
        {"Zm8", "fo"},
        {"Zm9v\nYmFy\n", "foobar"},
        {"Zm9v\r\nYg\r\n", "foob"},
        {" Z m 9\tv ", "foo"},
        {"-_-_", "\xFB\xFF\xBF"},
        {"+/+/", "\xFB\xFF\xBF"},
        {"data:image/png;base64,Zm9v", "foo"},
        {"DATA:;Base64,Zm9vYg", "foob"},
        {"\n data:image/svg+xml;charset=utf-8;base64,\nZm8=", "fo"},
        {"data", "\x75\xAB\x5A"},
        {"dataZm9v",
         "\x75\xAB\x5A"
         "foo"},
        {"daZm", "\x75\xA6\x66"}};
    for (const auto& [coded, plain] : spellings) {
        for (std::size_t piece = 1; piece <= 8; ++piece)
            BOOST_TEST(decode(coded, piece).value() == plain, coded);
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_base64_is_refused) {
    for (const std::string bad : {"A",
                                  "AB",
                                  "AAB",
                                  "AA=",
                                  "A===",
                                  "====",
                                  "AA==A",
                                  "AA==AAAA",
                                  "AAA=AAAA",
                                  "!AAA",
                                  "AAAA=",
                                  "AA=A",
                                  "AAAAA",
                                  "data:",
                                  "data:image/png;base64",
                                  "data:image/png,AAAA",
                                  "data:;base64,A",
                                  "dat:AAAA",
                                  "AAAAdata:,AAAA",
                                  "AA\xC3\xA9\x41",
                                  "AAA\v"}) {
        for (std::size_t piece = 1; piece <= 5; ++piece)
            BOOST_TEST(decode(bad, piece).has_error(), "'" << bad << "' in pieces of " << piece);
    }
}

BOOST_AUTO_TEST_SUITE_END()
