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

constexpr limits usual{.max_pixels = 50'000'000, .max_frames = 5'000, .max_svg_bytes = 0};

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
    const header h{layout->width, layout->height, 1, std::uint64_t{layout->width} * layout->height};
    const limits small{.max_pixels = 100'000, .max_frames = 1, .max_svg_bytes = 0};
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
    const auto h = check_png(bomb);
    BOOST_REQUIRE(h.has_value());
    const auto refused = over_limit(format::png, *h, usual);
    BOOST_REQUIRE(refused);
    BOOST_TEST(
        refused->text ==
        "The PNG image has 64250 × 64250 pixels, 4,128,062,500 in all; at most 50,000,000 are accepted.");
}

BOOST_AUTO_TEST_CASE(frames_of_an_animated_png_are_summed) {
    const auto apng = "\x89PNG\r\n\x1a\n" + make::png_ihdr(1000, 1000) +
                      make::png_chunk("acTL", make::be32(51) + make::be32(0)) + make::png_chunk("IDAT", "x") +
                      make::png_chunk("IEND", "");
    const auto h = check_png(apng);
    BOOST_REQUIRE(h.has_value());
    BOOST_TEST(h->frames == 51u);
    BOOST_TEST(over_limit(format::png, *h, usual).has_value());
}

BOOST_AUTO_TEST_CASE(a_damaged_png_is_refused_with_its_damage) {
    const auto good = make::make_png(4, 4);
    BOOST_TEST(check_png(good).has_value());
    BOOST_TEST(check_png(good + "trailing bytes do no harm").has_value());
    const auto text = [](const std::string& data) { return check_png(data).error().text; };
    BOOST_TEST(text(good.substr(0, good.size() - 1)) == "The PNG image is damaged: it ends too early.");
    auto flipped = good;
    flipped[45] = static_cast<char>(flipped[45] ^ 1);
    BOOST_TEST(text(flipped) == "The PNG image is damaged: its IDAT chunk has a wrong check sum.");
    const std::string start = "\x89PNG\r\n\x1a\n";
    BOOST_TEST(text(start + make::png_ihdr(4, 4) + make::png_chunk("IEND", "")) ==
               "The PNG image is damaged: it has no IDAT chunk, so no pixels.");
    BOOST_TEST(text(start + make::png_ihdr(4, 4, 8, 1)) ==
               "The PNG image is damaged: colour type 1 does not exist.");
    BOOST_TEST(text(start + make::png_ihdr(4, 4, 3, 2))
                   .ends_with("bit depth 3 is not possible with colour type 2."));
}

BOOST_AUTO_TEST_CASE(gif_frames_are_counted_without_decompression) {
    const auto many = check_gif(make::make_gif(1, 1, 100'000));
    BOOST_REQUIRE(many.has_value());
    BOOST_TEST(many->frames == 100'000u);
    const auto refused = over_limit(format::gif, *many, usual);
    BOOST_REQUIRE(refused);
    BOOST_TEST(refused->text == "The GIF image has 100,000 frames; at most 5,000 are accepted.");

    const auto large = check_gif(make::make_gif(100, 100, 3));
    BOOST_REQUIRE(large.has_value());
    BOOST_TEST(large->pixels == 30'000u);
    BOOST_TEST(
        over_limit(format::gif, *large, {.max_pixels = 29'999, .max_frames = 3, .max_svg_bytes = 0})->text ==
        "The GIF image has 100 × 100 pixels in 3 frames, 30,000 in all; at most 29,999 are accepted.");
}

BOOST_AUTO_TEST_CASE(a_gif_may_lack_its_trailer_but_nothing_else) {
    const auto good = make::make_gif(3, 3, 2);
    BOOST_TEST(check_gif(good.substr(0, good.size() - 1)).has_value());
    BOOST_TEST(!check_gif(good.substr(0, good.size() - 2)).has_value());
    BOOST_TEST(!check_gif("GIF89a").has_value());
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
    mistreat(make::make_png(5, 5), [](std::string_view d) { (void)check_png(d); });
    mistreat(make::make_gif(5, 5, 3), [](std::string_view d) { (void)check_gif(d); });
    mistreat(make::make_ico({2, 3}), [](std::string_view d) { (void)largest_icon_entry(d); });
    mistreat(make::make_bmp(5, 5), [](std::string_view d) { decode_any_dib(d, read_bmp_layout(d)); });
    mistreat(palette_bmp(1, std::string("\4\1\0\0\0\4\0\1\0\1\0\1", 12)),
             [](std::string_view d) { decode_any_dib(d, read_bmp_layout(d)); });
    const auto data = make::testdata();
    if (!data) return;
    for (const auto& file : make::files_in(*data / "ico")) {
        const auto whole = make::read(file);
        const auto entry = largest_icon_entry(whole);
        BOOST_TEST(entry.has_value());
        if (!entry || entry->is_png) continue;
        mistreat(std::string(entry->data),
                 [](std::string_view d) { decode_any_dib(d, read_icon_layout(d)); });
    }
}

BOOST_AUTO_TEST_SUITE_END()
