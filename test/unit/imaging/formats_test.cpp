// SPDX-License-Identifier: Apache-2.0
// The parsers that look at untrusted bytes before libvips does, compiled into this test so that sanitizers
// watch them.
#include "imaging/worker/formats/dib.hpp"
#include "imaging/worker/formats/gif.hpp"
#include "imaging/worker/formats/ico.hpp"
#include "imaging/worker/formats/png.hpp"

#include "support.hpp"

#include "boost_test.hpp"

namespace imaging = gallery::imaging;
namespace make = gallery::imaging::test;
using namespace gallery::imaging::worker;
using imaging::format;

namespace {

constexpr limits usual{
    .max_pixels = 50'000'000, .max_total_pixels = 60'000'000, .max_frames = 5'000, .max_svg_bytes = 0};

// Runs a parser over every beginning of a file, in memory of exactly that size, and over the whole file with
// each of its first bytes changed.
template <class Parser>
void mistreat(const std::string& whole, Parser parse) {
    for (std::size_t length = 0; length < whole.size(); length += length < 600 ? 1 : 97) {
        const std::vector<char> part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
        parse(std::string_view(part.data(), part.size()));
    }
    for (std::size_t at = 0; at < std::min<std::size_t>(whole.size(), 400); ++at) {
        for (const unsigned char value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
            std::vector<char> changed(whole.begin(), whole.end());
            changed[at] = static_cast<char>(value);
            parse(std::string_view(changed.data(), changed.size()));
        }
    }
}

void decode_any_dib(std::string_view data, const checked<dib_layout>& layout) {
    if (!layout) return;
    const header h{layout->width, layout->height, 1, std::uint64_t{layout->width} * layout->height,
                   std::uint64_t{layout->width} * layout->height};
    const limits small{
        .max_pixels = 100'000, .max_total_pixels = 100'000, .max_frames = 1, .max_svg_bytes = 0};
    if (over_limit(format::bmp, h, small)) return;
    (void)decode_dib(data, *layout);
}

std::string palette_bmp(std::uint32_t compression, const std::string& pixels) {
    return "BM" + make::le32(0) + make::le32(0) + make::le32(54 + 8) + make::le32(40) + make::le32(4) +
           make::le32(2) + make::le16(1) + make::le16(8) + make::le32(compression) + make::le32(0) +
           make::le32(0) + make::le32(0) + make::le32(2) + make::le32(0) +
           std::string("\1\2\3\0\xaa\xbb\xcc\0", 8) + pixels;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(formats)

BOOST_AUTO_TEST_CASE(a_png_with_huge_claims_is_refused_by_its_header_alone) {
    const auto bomb = "\x89PNG\r\n\x1a\n" + make::png_ihdr(64250, 64250) +
                      make::png_chunk("IDAT", std::string(5000, 'x')) + make::png_chunk("IEND", "");
    const auto h = read_png(bomb);
    BOOST_REQUIRE(h.has_value());
    const auto refused = over_limit(format::png, h->head, usual);
    BOOST_REQUIRE(refused);
    BOOST_TEST(
        refused->text ==
        "The PNG image has 64250 × 64250 pixels, 4,128,062,500 in all; at most 50,000,000 are accepted "
        "(IMAGE_MAX_PIXELS).");
}

BOOST_AUTO_TEST_CASE(frames_of_an_animated_png_are_summed) {
    const auto apng = "\x89PNG\r\n\x1a\n" + make::png_ihdr(1000, 1000) +
                      make::png_chunk("acTL", make::be32(61) + make::be32(0)) + make::png_chunk("IDAT", "x") +
                      make::png_chunk("IEND", "");
    const auto h = read_png(apng);
    BOOST_REQUIRE(h.has_value());
    BOOST_TEST(h->head.frames == 61u);
    BOOST_TEST(over_limit(format::png, h->head, usual)->text ==
               "The PNG image has 1000 × 1000 pixels in 61 frames, 61,000,000 in all; at most 60,000,000 are "
               "accepted (IMAGE_MAX_TOTAL_PIXELS).");
}

BOOST_AUTO_TEST_CASE(a_damaged_png_is_refused_with_its_damage) {
    const auto good = make::make_png(4, 4);
    BOOST_TEST(read_png(good).has_value());
    BOOST_TEST(read_png(good + "trailing bytes do no harm").has_value());
    const std::string start = "\x89PNG\r\n\x1a\n";
    const auto text = [](const std::string& data) { return read_png(data).error().text; };
    BOOST_TEST(text(good.substr(0, 30)) == "The PNG image is damaged: it ends within its header.");
    BOOST_TEST(text(good.substr(0, 40)) == "The PNG image is damaged: it ends before its first row.");
    BOOST_TEST(text(start + make::png_ihdr(4, 4, 8, 3) + make::png_chunk("IDAT", "x")) ==
               "The PNG image is damaged: it has no palette.");
    auto flipped = good;
    flipped[45] = static_cast<char>(flipped[45] ^ 1);
    BOOST_TEST(text(flipped) == "The PNG image is damaged: its IDAT chunk has a wrong checksum.");
    BOOST_TEST(text(start + make::png_ihdr(4, 4) + make::png_chunk("IEND", "")) ==
               "The PNG image is damaged: it has no IDAT chunk, and therefore no pixels.");
    BOOST_TEST(text(start + make::png_ihdr(4, 4, 8, 1)) ==
               "The PNG image is damaged: colour type 1 does not exist.");
    BOOST_TEST(text(start + make::png_ihdr(4, 4, 3, 2))
                   .ends_with("bit depth 3 is not possible with colour type 2."));
}

BOOST_AUTO_TEST_CASE(gif_frames_are_counted_without_decompression) {
    const auto many = read_gif(make::make_gif(1, 1, 100'000));
    BOOST_REQUIRE(many.has_value());
    BOOST_TEST(many->head.frames == 100'000u);
    const auto refused = over_limit(format::gif, many->head, usual);
    BOOST_REQUIRE(refused);
    BOOST_TEST(refused->text ==
               "The GIF image has 100,000 frames; at most 5,000 are accepted (IMAGE_MAX_FRAMES).");

    const auto large = read_gif(make::make_gif(100, 100, 3));
    BOOST_REQUIRE(large.has_value());
    BOOST_TEST(large->head.pixels == 30'000u);
    const limits small{.max_pixels = 10'000, .max_total_pixels = 29'999, .max_frames = 3, .max_svg_bytes = 0};
    BOOST_TEST(over_limit(format::gif, large->head, small)->text ==
               "The GIF image has 100 × 100 pixels in 3 frames, 30,000 in all; at most 29,999 are accepted "
               "(IMAGE_MAX_TOTAL_PIXELS).");
}

BOOST_AUTO_TEST_CASE(a_gif_may_lack_its_trailer_but_nothing_else) {
    const auto good = make::make_gif(3, 3, 2);
    BOOST_TEST(read_gif(good.substr(0, good.size() - 1)).has_value());
    BOOST_TEST(!read_gif(good.substr(0, good.size() - 2)).has_value());
    BOOST_TEST(!read_gif("GIF89a").has_value());
}

BOOST_AUTO_TEST_CASE(the_logical_screen_of_a_gif_decides_and_is_transparent_where_nothing_is_drawn) {
    const auto screen = [](std::uint32_t width, std::uint32_t height, std::uint32_t left, std::uint32_t top) {
        auto file = make::make_gif(4, 4);
        file.replace(6, 4, make::le16(width) + make::le16(height));
        const auto frame = file.find(',');
        file.replace(frame + 1, 4, make::le16(left) + make::le16(top));
        return file;
    };
    const auto drawn = [](const std::string& file) {
        const auto layout = read_gif(file);
        BOOST_REQUIRE(layout.has_value());
        std::vector<std::vector<std::uint8_t>> rows;
        const auto wrong =
            decode_gif(file, *layout, [&rows](auto row) { rows.emplace_back(row.begin(), row.end()); });
        BOOST_REQUIRE_MESSAGE(!wrong, (wrong ? wrong->text : ""));
        BOOST_TEST(rows.size() == layout->head.height);
        return rows;
    };
    const std::vector<std::uint8_t> nothing(10 * 4);
    const auto small = drawn(screen(10, 8, 3, 2));
    BOOST_TEST(small[1] == nothing);
    BOOST_TEST(small[6] == nothing);
    BOOST_TEST(small[2][2 * 4 + 3] == 0u);
    BOOST_TEST(small[2][3 * 4 + 3] == 255u);
    BOOST_TEST(small[2][4 * 4] == 255u);  // the second pixel is white
    BOOST_TEST(small[5][6 * 4 + 3] == 255u);
    BOOST_TEST(small[5][7 * 4 + 3] == 0u);
    // Sizes that other decoders distrust.
    for (const auto& [w, h] : {std::pair{640u, 480u},
                               {800u, 600u},
                               {1024u, 768u},
                               {1280u, 1024u},
                               {1600u, 1200u},
                               {3000u, 20u},
                               {2u, 3000u}}) {
        const auto rows = drawn(screen(w, h, 0, 0));
        BOOST_TEST(rows.size() == h);
        BOOST_TEST(rows[0].size() == w * 4u);
        BOOST_TEST(rows[4][0 + 3] == 0u);
    }
    // A frame that is larger than the screen, one that is beside it, and no screen at all.
    BOOST_TEST(drawn(screen(2, 3, 0, 0))[2][4] == 255u);
    BOOST_TEST(drawn(screen(4, 4, 100, 100))[3] == std::vector<std::uint8_t>(16));
    BOOST_TEST(drawn(screen(0, 0, 0, 0)).size() == 4u);
    BOOST_TEST(drawn(screen(0, 7, 1, 0))[0].size() == 20u);
}

BOOST_AUTO_TEST_CASE(rows_that_a_gif_lacks_are_counted) {
    auto file = make::make_gif(50, 50);
    const auto layout = read_gif(file);
    BOOST_REQUIRE(layout.has_value());
    const auto first_block = static_cast<unsigned char>(file[layout->data + 1]);
    const auto cut = file.substr(0, layout->data + 2 + first_block) + std::string("\0;", 2);
    const auto wrong = decode_gif(cut, *read_gif(cut), [](auto) {});
    BOOST_REQUIRE(wrong.has_value());
    BOOST_TEST(wrong->text == "The GIF image is damaged: only 6 of 50 rows of its first frame are present.");
}

BOOST_AUTO_TEST_CASE(a_png_may_lack_its_end_but_no_row) {
    const auto good = make::make_png(60, 40);
    const auto text = [](const std::string& data) {
        const auto layout = read_png(data);
        if (!layout) return layout.error().text;
        std::size_t rows = 0;
        const auto wrong = decode_png(*layout, [&rows](auto) { ++rows; });
        return wrong ? wrong->text : std::to_string(rows) + " rows";
    };
    BOOST_TEST(text(good) == "40 rows");
    // IEND, the check sum of IDAT, that of the compressed data: bit by bit.
    for (std::size_t missing = 1; missing <= 12 + 4 + 4; ++missing)
        BOOST_TEST(text(good.substr(0, good.size() - missing)) == "40 rows", missing);
    BOOST_TEST(text(good.substr(0, good.size() / 2)).starts_with("The PNG image is damaged: only "));
    BOOST_TEST(text(good.substr(0, good.size() / 2)).ends_with(" of 40 rows are present."));
}

// Each colour type and depth, interlaced or not, against pixels worked out here.
BOOST_AUTO_TEST_CASE(every_kind_of_png_has_the_pixels_that_were_put_in) {
    constexpr std::uint32_t width = 13;
    constexpr std::uint32_t height = 11;
    const auto sample = [](std::uint32_t x, std::uint32_t y, unsigned band, unsigned depth) {
        return (x * 7 + y * 13 + band * 29) * 2654435761u >> 8 & ((1u << depth) - 1);
    };
    for (const auto& [type, bands] : {std::pair{0u, 1u}, {2u, 3u}, {3u, 1u}, {4u, 2u}, {6u, 4u}}) {
        for (const unsigned depth : {1u, 2u, 4u, 8u, 16u}) {
            if ((depth < 8 && type != 0 && type != 3) || (depth == 16 && type == 3)) continue;
            for (const bool interlaced : {false, true}) {
                BOOST_TEST_CONTEXT("type " << type << " depth " << depth << " interlaced " << interlaced) {
                    std::string raw;
                    const auto add = [&](std::uint32_t x0, std::uint32_t y0, std::uint32_t dx,
                                         std::uint32_t dy) {
                        if (x0 >= width) return;
                        for (auto y = y0; y < height; y += dy) {
                            raw.push_back('\0');
                            std::uint32_t bits = 0;
                            unsigned count = 0;
                            for (auto x = x0; x < width; x += dx) {
                                for (unsigned b = 0; b < bands; ++b) {
                                    bits = bits << depth | sample(x, y, b, depth);
                                    for (count += depth; count >= 8; count -= 8)
                                        raw.push_back(static_cast<char>(bits >> (count - 8) & 255));
                                }
                            }
                            if (count > 0) raw.push_back(static_cast<char>(bits << (8 - count) & 255));
                        }
                    };
                    if (!interlaced) {
                        add(0, 0, 1, 1);
                    } else {
                        add(0, 0, 8, 8);
                        add(4, 0, 8, 8);
                        add(0, 4, 4, 8);
                        add(2, 0, 4, 4);
                        add(0, 2, 2, 4);
                        add(1, 0, 2, 2);
                        add(0, 1, 1, 2);
                    }
                    std::string palette;
                    for (unsigned i = 0; i < 256; ++i)
                        palette +=
                            {static_cast<char>(i), static_cast<char>(i * 3), static_cast<char>(255 - i)};
                    const auto head = make::be32(width) + make::be32(height) + static_cast<char>(depth) +
                                      static_cast<char>(type) + std::string(2, '\0') +
                                      (interlaced ? '\1' : '\0');
                    const auto file = "\x89PNG\r\n\x1a\n" + make::png_chunk("IHDR", head) +
                                      (type == 3 ? make::png_chunk("PLTE", palette) : "") +
                                      make::png_chunk("IDAT", make::deflated(raw)) +
                                      make::png_chunk("IEND", "");
                    const auto layout = read_png(file);
                    BOOST_REQUIRE(layout.has_value());
                    const auto shape = png_shape(*layout);
                    BOOST_TEST(shape.bands == (type == 3 ? 3u : bands));
                    std::uint32_t y = 0;
                    std::size_t different = 0;
                    const auto wrong = decode_png(*layout, [&](std::span<const std::uint8_t> row) {
                        for (std::uint32_t x = 0; x < width; ++x) {
                            for (unsigned b = 0; b < shape.bands; ++b) {
                                const auto v = sample(x, y, type == 3 ? 0 : b, depth);
                                const auto expected = type == 3
                                                          ? static_cast<unsigned char>(palette[v * 3 + b])
                                                      : depth == 16 ? v >> 8
                                                                    : v * 255 / ((1u << depth) - 1);
                                if (row[x * shape.bands + b] != expected) ++different;
                            }
                        }
                        ++y;
                    });
                    BOOST_TEST(!wrong);
                    BOOST_TEST(y == height);
                    BOOST_TEST(different == 0u);
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(bitmaps_are_decoded_upright) {
    const auto file = make::make_bmp(3, 2);
    const auto layout = read_bmp_layout(file);
    BOOST_REQUIRE(layout.has_value());
    const auto image = decode_dib(file, *layout);
    BOOST_REQUIRE(image.has_value());
    // Rows are stored from the bottom; make_bmp counts them in green.
    BOOST_TEST(image->pixels[1] == 1u);
    BOOST_TEST(image->pixels[3 * 4 + 1] == 0u);
    BOOST_TEST(image->pixels[2 * 4 + 2] == 2u);
    BOOST_TEST(!image->alpha);
    BOOST_TEST(!decode_dib(file.substr(0, file.size() - 5), *layout).has_value());
}

BOOST_AUTO_TEST_CASE(runs_of_bitmaps_are_decoded) {
    const auto file = palette_bmp(1, std::string("\4\1\0\0\0\4\0\1\0\1\0\1", 12));
    const auto layout = read_bmp_layout(file);
    BOOST_REQUIRE(layout.has_value());
    const auto image = decode_dib(file, *layout);
    BOOST_REQUIRE(image.has_value());
    BOOST_TEST(image->pixels[0] == 3u);         // top left: colour 0, red
    BOOST_TEST(image->pixels[4] == 0xccu);      // colour 1
    BOOST_TEST(image->pixels[4 * 4] == 0xccu);  // the lower row is a run of colour 1
    const auto cut = palette_bmp(1, std::string("\4\1", 2));
    BOOST_TEST(!decode_dib(cut, *read_bmp_layout(cut)).has_value());
}

BOOST_AUTO_TEST_CASE(an_icon_is_its_largest_entry) {
    const auto icon = make::make_ico({16, 48, 32});
    const auto entry = largest_icon_entry(icon);
    BOOST_REQUIRE(entry.has_value());
    BOOST_TEST(entry->size.width == 48u);
    BOOST_TEST(!largest_icon_entry(icon.substr(0, icon.size() - 1)).has_value());
}

BOOST_AUTO_TEST_CASE(no_parser_reads_beyond_its_input) {
    mistreat(make::make_png(5, 5), [](std::string_view d) {
        if (const auto l = read_png(d); l && l->head.pixels < 10'000) (void)decode_png(*l, [](auto) {});
    });
    mistreat(make::make_gif(5, 5, 3), [](std::string_view d) {
        if (const auto l = read_gif(d); l && l->head.frame_pixels < 10'000)
            (void)decode_gif(d, *l, [](auto) {});
    });
    mistreat(make::make_ico({2, 3}), [](std::string_view d) { (void)largest_icon_entry(d); });
    mistreat(make::make_bmp(5, 5), [](std::string_view d) { decode_any_dib(d, read_bmp_layout(d)); });
    mistreat(palette_bmp(1, std::string("\4\1\0\0\0\4\0\1\0\1\0\1", 12)),
             [](std::string_view d) { decode_any_dib(d, read_bmp_layout(d)); });
    const auto data = make::testdata();
    for (const auto& file : make::files_in(data / "ico")) {
        const auto whole = make::read(file);
        const auto entry = largest_icon_entry(whole);
        BOOST_TEST(entry.has_value());
        if (!entry || entry->is_png) continue;
        mistreat(std::string(entry->data),
                 [](std::string_view d) { decode_any_dib(d, read_icon_layout(d)); });
    }
}

BOOST_AUTO_TEST_SUITE_END()
