// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include "await.hpp"
#include "samples.hpp"

#include "boost_test.hpp"

#include <gallery/encode.hpp>

#include <zlib.h>
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace gallery::imaging::test {
namespace {

std::string le(std::uint32_t value, int bytes) {
    std::string out;
    for (int i = 0; i < bytes; ++i)
        out.push_back(static_cast<char>(value >> (8 * i) & 0xff));
    return out;
}

}  // namespace

std::string le16(std::uint32_t value) {
    return le(value, 2);
}
std::string le32(std::uint32_t value) {
    return le(value, 4);
}
std::string be32(std::uint32_t value) {
    auto out = le32(value);
    return {out.rbegin(), out.rend()};
}

std::string png_chunk(std::string_view type, std::string_view data) {
    const auto body = std::string(type) + std::string(data);
    const auto sum = ::crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
    return be32(static_cast<std::uint32_t>(data.size())) + body + be32(static_cast<std::uint32_t>(sum));
}

std::string deflated(std::string_view data) {
    uLongf size = ::compressBound(data.size());
    std::string packed(size, '\0');
    ::compress2(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(data.data()),
                data.size(), 1);
    packed.resize(size);
    return packed;
}

std::string gzipped(std::string_view data) {
    z_stream z{};
    ::deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    std::string out(::deflateBound(&z, data.size()) + 32, '\0');
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
    z.avail_in = static_cast<uInt>(data.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    ::deflate(&z, Z_FINISH);
    out.resize(z.total_out);
    ::deflateEnd(&z);
    return out;
}

std::string png_ihdr(std::uint32_t width, std::uint32_t height, char depth, char colour_type) {
    return png_chunk("IHDR", be32(width) + be32(height) + depth + colour_type + std::string(3, '\0'));
}

std::string make_png(std::uint32_t width, std::uint32_t height) {
    std::string rows;
    rows.reserve(std::size_t{height} * (width * 3 + 1));
    std::uint32_t noise = 1;
    for (std::uint32_t y = 0; y < height; ++y) {
        rows.push_back('\0');
        for (std::uint32_t x = 0; x < width; ++x) {
            noise = noise * 1664525 + 1013904223;
            rows.push_back(static_cast<char>(x * 255 / width));
            rows.push_back(static_cast<char>(y * 255 / height));
            rows.push_back(static_cast<char>(noise >> 28));
        }
    }
    return "\x89PNG\r\n\x1a\n" + png_ihdr(width, height) + png_chunk("IDAT", deflated(rows)) +
           png_chunk("IEND", "");
}

std::string make_plain_png(std::uint32_t width, std::uint32_t height, std::string_view rgb,
                           std::string_view profile) {
    std::string rows;
    for (std::uint32_t y = 0; y < height; ++y) {
        rows.push_back('\0');
        for (std::uint32_t x = 0; x < width; ++x)
            rows += rgb;
    }
    const auto meaning =
        profile.empty() ? std::string() : png_chunk("iCCP", std::string("test\0\0", 6) + deflated(profile));
    return "\x89PNG\r\n\x1a\n" + png_ihdr(width, height) + meaning + png_chunk("IDAT", deflated(rows)) +
           png_chunk("IEND", "");
}

std::string make_profile(int table) {
    // ICC.1:2001-04, 6.5.9 (lut8Type): a cube of two points a side, from RGB to Lab.
    std::string lut = "mft1" + be32(0) + std::string("\3\3\2\0", 4);
    for (int i = 0; i < 9; ++i)
        lut += be32(i % 4 == 0 ? 0x10000 : 0);
    std::string straight;
    for (int band = 0; band < 3; ++band) {
        for (int value = 0; value < 256; ++value)
            straight.push_back(static_cast<char>(value));
    }
    const std::string_view black("\x00\x80\x80", 3);
    const std::string_view grey("\x80\x80\x80", 3);
    const std::string_view white("\xff\x80\x80", 3);
    const std::string_view green("\xe0\x31\xd1", 3);
    lut += straight;
    for (const auto colour : {black, grey, grey, grey, green, grey, grey, white})
        lut += colour;
    lut += straight;

    const auto at = 128 + 4 + 12;
    const auto size = static_cast<std::uint32_t>(lut.size());
    std::string head = be32(at + size) + be32(0) + be32(0x02400000) + "mntrRGB Lab " + std::string(12, '\0') +
                       "acsp" + std::string(28, '\0');
    head += be32(0xf6d6) + be32(0x10000) + be32(0xd32d);
    head.resize(128);
    return head + be32(1) + "A2B" + std::to_string(table) + be32(at) + be32(size) + lut;
}

std::string make_gif(std::uint32_t width, std::uint32_t height, unsigned frames) {
    std::string out = "GIF89a" + le16(width) + le16(height) + '\x80' + std::string(2, '\0');
    out += std::string("\0\0\0\xff\xff\xff", 6);
    // The codes of 2-bit pixels are 3 bits wide; a clear code before each pixel keeps them so.
    std::string codes;
    std::uint32_t bits = 0;
    int count = 0;
    const auto put = [&](std::uint32_t code) {
        bits |= code << count;
        count += 3;
        while (count >= 8) {
            codes.push_back(static_cast<char>(bits & 0xff));
            bits >>= 8;
            count -= 8;
        }
    };
    for (std::uint32_t i = 0; i < width * height; ++i) {
        put(4);
        put(i % 2);
    }
    put(5);
    codes.push_back(static_cast<char>(bits & 0xff));
    std::string frame = std::string(",\0\0\0\0", 5) + le16(width) + le16(height) + std::string("\0\2", 2);
    for (std::size_t at = 0; at < codes.size(); at += 255) {
        const auto part = codes.substr(at, 255);
        frame += static_cast<char>(part.size()) + part;
    }
    frame += '\0';
    for (unsigned i = 0; i < frames; ++i)
        out += frame;
    return out + ";";
}

std::string make_bmp(std::uint32_t width, std::uint32_t height) {
    const auto stride = (width * 24 + 31) / 32 * 4;
    std::string pixels;
    for (std::uint32_t y = 0; y < height; ++y) {
        std::string row;
        for (std::uint32_t x = 0; x < width; ++x)
            row += {static_cast<char>(x), static_cast<char>(y), '\x40'};
        row.resize(stride);
        pixels += row;
    }
    return "BM" + le32(static_cast<std::uint32_t>(54 + pixels.size())) + le32(0) + le32(54) + le32(40) +
           le32(width) + le32(height) + le16(1) + le16(24) + std::string(24, '\0') + pixels;
}

std::string make_ico(std::initializer_list<std::uint32_t> sizes) {
    std::string directory = le16(0) + le16(1) + le16(static_cast<std::uint32_t>(sizes.size()));
    std::string images;
    for (const auto size : sizes) {
        const auto png = make_png(size, size);
        const auto side = static_cast<char>(size < 256 ? size : 0);
        directory += std::string{side, side, '\0', '\0'} + le16(1) + le16(32) +
                     le32(static_cast<std::uint32_t>(png.size())) +
                     le32(static_cast<std::uint32_t>(6 + 16 * sizes.size() + images.size()));
        images += png;
    }
    return directory + images;
}

std::string make_tiff(std::uint32_t width, std::uint32_t height, std::uint32_t orientation) {
    const auto size = width * height * 3;
    std::string pixels;
    for (std::uint32_t i = 0; i < size; ++i)
        pixels.push_back(static_cast<char>(i * 7));
    const auto entry = [](std::uint32_t tag, std::uint32_t type, std::uint32_t value) {
        return le16(tag) + le16(type) + le32(1) + le32(value);
    };
    // Bits per sample is one value of three shorts, kept behind the directory.
    const std::uint32_t behind = 8 + 2 + 11 * 12 + 4;
    return std::string("II*\0", 4) + le32(8) + le16(11) + entry(256, 4, width) + entry(257, 4, height) +
           (le16(258) + le16(3) + le32(3) + le32(behind)) + entry(259, 3, 1) + entry(262, 3, 2) +
           entry(273, 4, behind + 6) + entry(274, 3, orientation) + entry(277, 3, 3) + entry(278, 4, height) +
           entry(279, 4, size) + entry(284, 3, 1) + le32(0) + le16(8) + le16(8) + le16(8) + pixels;
}

std::string make_jpeg(std::uint32_t orientation) {
    auto jpeg = base64_decode(jpeg_sample).value();
    if (orientation != 1) {
        const auto exif = std::string("Exif\0\0", 6) + std::string("II*\0", 4) + le32(8) + le16(1) +
                          le16(274) + le16(3) + le32(1) + le32(orientation) + le32(0);
        const auto length = static_cast<std::uint32_t>(exif.size() + 2);
        jpeg.insert(2, std::string("\xff\xe1", 2) + static_cast<char>(length >> 8) +
                           static_cast<char>(length & 0xff) + exif);
    }
    return jpeg;
}

std::string make_webp() {
    return base64_decode(webp_sample).value();
}
std::string make_avif() {
    return base64_decode(avif_sample).value();
}
std::string make_heif() {
    return base64_decode(heif_sample).value();
}

std::string make_svg(std::string_view attributes, std::size_t size, unsigned shapes) {
    std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" " + std::string(attributes) + ">";
    for (unsigned i = 0; i < shapes; ++i) {
        out += "<circle cx=\"" + std::to_string(i * 37 % 100) + "\" cy=\"" + std::to_string(i * 53 % 100) +
               "\" r=\"7\" fill=\"hsl(" + std::to_string(i * 7 % 360) + ",60%,50%)\"/>";
    }
    const std::string end = "</svg>";
    if (out.size() + end.size() < size) {
        out += "<desc>" + std::string(std::max<std::size_t>(size - out.size() - end.size(), 13) - 13, 'x') +
               "</desc>";
    }
    return out + end;
}

std::filesystem::path testdata() {
    const auto* source = std::getenv("GALLERY_SOURCE");
    const auto folder =
        std::filesystem::path(source == nullptr ? "." : source) / "test" / "data" / "pictures";
    BOOST_REQUIRE_MESSAGE(std::filesystem::is_directory(folder),
                          folder << " is missing; ctest sets GALLERY_SOURCE");
    return folder;
}

std::string read(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.is_regular_file()) files.push_back(entry.path());
    }
    std::ranges::sort(files);
    return files;
}

pool_options quick_options(std::string worker) {
    pool_options options;
    options.worker = std::move(worker);
    options.workers = 1;
    return options;
}

upload upload_of(std::string data, tenant_id tenant) {
    const auto content = sha256(data);
    return {tenant, content, body(bytes::own(std::move(data)))};
}

result<picture> inspect(pool& p, std::string data) {
    return gallery::test::await(p.inspect(upload_of(std::move(data))));
}

std::pair<std::uint32_t, std::uint32_t> png_size(std::string_view png) {
    const auto number = [png](std::size_t at) {
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < 4; ++i)
            value = value << 8 | static_cast<unsigned char>(png.at(at + i));
        return value;
    };
    return {number(16), number(20)};
}

}  // namespace gallery::imaging::test
