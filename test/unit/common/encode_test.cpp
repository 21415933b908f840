// SPDX-License-Identifier: Apache-2.0
// Hexadecimal digits and Base64, with the vectors of RFC 4648, section 10.
#include <gallery/encode.hpp>

#include "boost_test.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace gallery;

namespace {

std::optional<std::string> read(std::string_view text, std::size_t piece) {
    base64_reader reader;
    std::string out;
    for (std::size_t at = 0; at < text.size(); at += piece)
        if (!reader.feed(text.substr(at, piece), out)) return std::nullopt;
    return reader.finish(out) ? std::optional(out) : std::nullopt;
}

std::string random_bytes(std::size_t size) {
    static std::mt19937 random(7);
    std::string data(size, '\0');
    for (auto& c : data)
        c = static_cast<char>(random());
    return data;
}

template <std::size_t Size>
void digits_of_an_array_are_those_of_its_bytes() {
    const auto data = random_bytes(Size);
    std::array<std::byte, Size> array{};
    for (std::size_t i = 0; i < Size; ++i)
        array[i] = static_cast<std::byte>(data[i]);
    const auto digits = hex_digits(array);
    BOOST_TEST(std::string(digits.data(), digits.size()) == hex_encode(data));
}

const std::vector<std::pair<std::string, std::string>> base64_vectors = {{"", ""},
                                                                         {"f", "Zg=="},
                                                                         {"fo", "Zm8="},
                                                                         {"foo", "Zm9v"},
                                                                         {"foob", "Zm9vYg=="},
                                                                         {"fooba", "Zm9vYmE="},
                                                                         {"foobar", "Zm9vYmFy"}};

}  // namespace

BOOST_AUTO_TEST_SUITE(encode)

BOOST_AUTO_TEST_CASE(a_hexadecimal_digit_has_a_value_and_no_other_character_has) {
    constexpr std::string_view lower = "0123456789abcdef";
    constexpr std::string_view upper = "0123456789ABCDEF";
    for (int i = 0; i < 256; ++i) {
        const char c = static_cast<char>(i);
        const auto at = lower.find(c) != lower.npos ? lower.find(c) : upper.find(c);
        BOOST_TEST(hex_value(c) == (at == lower.npos ? -1 : static_cast<int>(at)), "character " << i);
    }
    BOOST_TEST(hex_octet('f', 'F') == 255);
    BOOST_TEST(hex_octet('0', 'g') == -1);
    BOOST_TEST(hex_octet('g', '0') == -1);
}

BOOST_AUTO_TEST_CASE(hexadecimal_is_undone_and_is_strict) {
    BOOST_TEST(hex_encode("foobar") == "666f6f626172");
    BOOST_TEST((hex_decode("666F6f626172") == "foobar"));
    BOOST_TEST((hex_decode("") == ""));
    for (std::size_t size = 0; size < 70; ++size) {
        const auto data = random_bytes(size);
        BOOST_TEST((hex_decode(hex_encode(data)) == data));
    }
    for (const auto* bad : {"6", "666", "6g", "g6", " 6", "6 ", "0x", "+6", "-6"})
        BOOST_TEST(!hex_decode(bad).has_value(), bad);
    BOOST_TEST(!hex_decode(std::string_view("6\0", 2)).has_value());
}

BOOST_AUTO_TEST_CASE(digits_of_an_array_of_any_size_are_those_of_its_bytes) {
    digits_of_an_array_are_those_of_its_bytes<1>();
    digits_of_an_array_are_those_of_its_bytes<8>();
    digits_of_an_array_are_those_of_its_bytes<15>();
    digits_of_an_array_are_those_of_its_bytes<16>();
    digits_of_an_array_are_those_of_its_bytes<17>();
    digits_of_an_array_are_those_of_its_bytes<32>();
    digits_of_an_array_are_those_of_its_bytes<47>();
}

BOOST_AUTO_TEST_CASE(every_octet_has_its_digits) {
    std::array<std::byte, 256> all{};
    for (std::size_t i = 0; i < all.size(); ++i)
        all[i] = static_cast<std::byte>(i);
    const auto digits = hex_digits(all);
    for (std::size_t i = 0; i < all.size(); ++i)
        BOOST_TEST(hex_octet(digits[2 * i], digits[2 * i + 1]) == static_cast<int>(i));
}

BOOST_AUTO_TEST_CASE(base64_has_the_vectors_of_rfc_4648_in_pieces_of_any_length) {
    for (const auto& [plain, coded] : base64_vectors) {
        BOOST_TEST(base64_encode(plain) == coded);
        BOOST_TEST((base64_decode(coded) == plain));
        auto bare = coded.substr(0, coded.find('='));
        BOOST_TEST(base64url_encode(plain) == bare);
        BOOST_TEST((base64url_decode(bare) == plain));
        BOOST_TEST((base64_decode(bare) == plain));
        for (std::size_t piece = 1; piece <= 9; ++piece) {
            BOOST_TEST((read(coded, piece) == plain));
            BOOST_TEST((read(bare, piece) == plain));
        }
    }
    BOOST_TEST(base64_encode("\xFB\xFF\xBF") == "+/+/");
    BOOST_TEST(base64url_encode("\xFB\xFF\xBF") == "-_-_");
}

BOOST_AUTO_TEST_CASE(any_bytes_come_back) {
    for (std::size_t size = 0; size < 200; ++size) {
        const auto data = random_bytes(size);
        BOOST_TEST((base64_decode(base64_encode(data)) == data));
        BOOST_TEST((base64url_decode(base64url_encode(data)) == data));
        BOOST_TEST((read(base64_encode(data), 1 + size % 13) == data));
    }
    const std::string large(10'000'000, 'x');  // NOLINT(bugprone-string-constructor): meant to be large
    const auto coded = base64_encode(large);
    BOOST_TEST(coded.find('=') == coded.size() - 2);
    BOOST_TEST((read(coded, 65'536) == large));
}

BOOST_AUTO_TEST_CASE(an_encoding_is_appended_and_grows_once) {
    std::string out = "before:";
    append_base64(std::string_view("foob"), out);
    BOOST_TEST(out == "before:Zm9vYg==");
}

// One value, one text: otherwise one token could be written in several ways.
BOOST_AUTO_TEST_CASE(the_strict_decoders_accept_one_text_for_each_value) {
    for (const auto* bad :
         {"Y", "YWI==", "YW=I", "Y W", "YWJ", "YR==", "YQ\n=", "Y===", "====", "=",
          "YQ=", "YQ==YQ==", "YWI=YWI=", "-_-_", "YWJj\n", " YWJj", "YW\xC3\xA9", "YWJj\v", "AAAAA"})
        BOOST_TEST(!base64_decode(bad).has_value(), bad);
    for (const auto* bad : {"Y", "YQ==", "YWI=", "YR", "YWJ", "+/+/", "YW I", "YWI\n", "=", "AAAAA", "YW.I"})
        BOOST_TEST(!base64url_decode(bad).has_value(), bad);
    BOOST_TEST(!base64url_decode(std::string_view("YW\0I", 4)).has_value());
    // Each text that is accepted is the one that the encoder writes.
    constexpr std::string_view characters = "AQgw+/-_=y \n";
    std::string text(4, 'A');
    for (const char a : characters)
        for (const char b : characters)
            for (const char c : characters)
                for (const char d : characters) {
                    text = {a, b, c, d};
                    if (const auto data = base64url_decode(text)) BOOST_TEST(base64url_encode(*data) == text);
                    if (const auto data = base64_decode(text)) BOOST_TEST(base64_encode(*data) == text);
                }
}

BOOST_AUTO_TEST_CASE(the_reader_accepts_other_spellings_and_refuses_what_is_not_base64) {
    for (const auto& [coded, plain] : std::vector<std::pair<std::string, std::string>>{
             {"Zm9v\r\nYmFy\n", "foobar"}, {" Z m 9\tv ", "foo"}, {"-_+/", "\xFB\xFF\xBF"}, {"Zg=\n=", "f"}})
        for (std::size_t piece = 1; piece <= 8; ++piece)
            BOOST_TEST((read(coded, piece) == plain), coded);
    for (const std::string bad : {"A", "AB", "AAB", "AA=", "A===", "====", "AA==A", "AA==AAAA", "AAA=AAAA",
                                  "!AAA", "AAAA=", "AA=A", "AAAAA", "AA\xC3\xA9\x41", "AAA\v"})
        for (std::size_t piece = 1; piece <= 5; ++piece)
            BOOST_TEST(!read(bad, piece).has_value(), "'" << bad << "' in pieces of " << piece);
}

BOOST_AUTO_TEST_SUITE_END()
