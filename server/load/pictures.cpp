// SPDX-License-Identifier: Apache-2.0
// The parts of a PNG here: signature, IHDR, tEXt with the stamp and as much padding as the size requires,
// IDAT with uncompressed blocks (RFC 1951, 3.2.4), IEND.
#include "load/pictures.hpp"

#include "load/random.hpp"

#include <gallery/encode.hpp>

#include <boost/crc.hpp>

#include <algorithm>
#include <cmath>
#include <string_view>

namespace gallery::load {

namespace {

using namespace std::string_view_literals;

constexpr auto signature = "\x89PNG\r\n\x1a\n"sv;
constexpr auto comment = "Comment\0"sv;
constexpr std::size_t chunk_frame = 12;  // length, type, checksum
constexpr std::size_t text_begin = 8 + chunk_frame + 13;
constexpr std::size_t stamp_begin = text_begin + 8 + 8;
constexpr std::size_t stamp_size = 32;
constexpr std::size_t largest_block = 65'535;

void append_number(std::string& out, std::uint32_t number) {
    for (const unsigned shift : {24U, 16U, 8U, 0U})
        out += static_cast<char>(number >> shift);
}

std::uint32_t checksum(std::string_view data) {
    boost::crc_32_type crc;
    crc.process_bytes(data.data(), data.size());
    return crc.checksum();
}

std::uint32_t adler(std::string_view data) {
    std::uint32_t a = 1, b = 0;
    for (const char c : data) {
        a = (a + static_cast<unsigned char>(c)) % 65'521;
        b = (b + a) % 65'521;
    }
    return b << 16U | a;
}

void append_chunk(std::string& out, std::string_view type, std::string_view data) {
    append_number(out, static_cast<std::uint32_t>(data.size()));
    const auto begin = out.size();
    out += type;
    out += data;
    append_number(out, checksum(std::string_view(out).substr(begin)));
}

/// zlib's format (RFC 1950) without compression.
std::string stored(std::string_view data) {
    std::string out = "\x78\x01";
    for (std::size_t at = 0; at < data.size(); at += largest_block) {
        const auto block = data.substr(at, largest_block);
        const auto size = static_cast<std::uint16_t>(block.size());
        out += at + largest_block >= data.size() ? '\1' : '\0';
        for (const std::uint16_t value : {size, static_cast<std::uint16_t>(~size)}) {
            out += static_cast<char>(value & 255U);
            out += static_cast<char>(value >> 8U);
        }
        out += block;
    }
    append_number(out, adler(data));
    return out;
}

std::size_t stored_size(std::size_t size) {
    return 6 + size + 5 * ((size + largest_block - 1) / largest_block);
}

}  // namespace

std::string make_picture(std::size_t bytes, std::uint64_t seed) {
    const std::size_t fixed = signature.size() + 4 * chunk_frame + 13 + comment.size() + stamp_size;
    // About a square. A row has a byte for its filter, which is 0.
    const auto room = bytes - fixed;
    const auto width =
        std::max<std::size_t>(1, static_cast<std::size_t>(std::sqrt(static_cast<double>(room))) - 4);
    std::size_t height = 1;
    while (stored_size((width + 1) * (height + 1)) <= room)
        ++height;

    random_numbers noise(seed);
    std::string rows((width + 1) * height, '\0');
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (i % (width + 1) != 0) rows[i] = static_cast<char>(noise.next());

    std::string header;
    append_number(header, static_cast<std::uint32_t>(width));
    append_number(header, static_cast<std::uint32_t>(height));
    header += "\x08\0\0\0\0"sv;  // eight bits of grey
    std::string text(comment);
    text.append(stamp_size, '0');
    text.append(room - stored_size(rows.size()), ' ');

    std::string out(signature);
    out.reserve(bytes);
    append_chunk(out, "IHDR", header);
    append_chunk(out, "tEXt", text);
    append_chunk(out, "IDAT", stored(rows));
    append_chunk(out, "IEND", {});
    return out;
}

void stamp_picture(std::span<char> picture, std::uint64_t run, std::uint64_t number) noexcept {
    auto at = picture.begin() + stamp_begin;
    for (const auto part : {run, number})
        for (unsigned shift = 64; shift > 0; shift -= 4)
            *at++ = lower_hex_digits[part >> (shift - 4) & 15U];
    std::uint32_t size = 0;
    for (std::size_t i = 0; i < 4; ++i)
        size = size << 8U | static_cast<unsigned char>(picture[text_begin + i]);
    const auto covered = picture.subspan(text_begin + 4, 4 + size);
    const auto sum = checksum({covered.data(), covered.size()});
    // The checksum follows what it covers.
    auto* to = picture.data() + (text_begin + 4 + 4 + size);
    for (const unsigned shift : {24U, 16U, 8U, 0U})
        *to++ = static_cast<char>(sum >> shift);
}

}  // namespace gallery::load
