// SPDX-License-Identifier: Apache-2.0
// Pictures have the wanted size and valid checksums. That the server decodes them is tested by test/api.
#include "load/pictures.hpp"

#include "boost_test.hpp"

#include <boost/crc.hpp>

#include <string>
#include <string_view>

namespace gallery::load {

namespace {

std::uint32_t number_at(std::string_view text, std::size_t at) {
    std::uint32_t out = 0;
    for (std::size_t i = 0; i < 4; ++i)
        out = out << 8U | static_cast<unsigned char>(text[at + i]);
    return out;
}

/// Checks the checksum of each part; returns their types.
std::string parts_of(std::string_view picture) {
    std::string types;
    std::size_t at = 8;
    while (at + 12 <= picture.size()) {
        const auto size = number_at(picture, at);
        BOOST_TEST_REQUIRE(at + 12 + size <= picture.size());
        boost::crc_32_type crc;
        crc.process_bytes(picture.data() + at + 4, size + 4);
        BOOST_TEST(crc.checksum() == number_at(picture, at + 8 + size));
        types += picture.substr(at + 4, 4);
        types += ' ';
        at += 12 + size;
    }
    BOOST_TEST(at == picture.size());
    return types;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pictures)

BOOST_AUTO_TEST_CASE(a_picture_has_exactly_the_wanted_size) {
    for (const std::size_t size :
         {200U, 201U, 333U, 700U, 2048U, 14'336U, 65'000U, 70'000U, 102'400U, 1'048'576U}) {
        const auto made = make_picture(size, 1);
        BOOST_TEST(made.size() == size);
        BOOST_TEST(parts_of(made) == "IHDR tEXt IDAT IEND ");
    }
}

BOOST_AUTO_TEST_CASE(a_stamp_makes_another_valid_picture) {
    const auto first = make_picture(2048, 1);
    auto second = first;
    stamp_picture(second, 0x0123456789abcdefULL, 42);
    BOOST_TEST(second != first);
    BOOST_TEST(second.size() == first.size());
    BOOST_TEST(second.find("0123456789abcdef000000000000002a") != std::string::npos);
    BOOST_TEST(parts_of(second) == "IHDR tEXt IDAT IEND ");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::load
