// SPDX-License-Identifier: Apache-2.0
// Real pictures and hostile ones through the worker that users get.
#include "imaging/worker/formats/png.hpp"

#include "support.hpp"

#include "boost_test.hpp"

#include <gallery/encode.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <cstdlib>
#include <span>
#include <string>
#include <vector>

namespace imaging = gallery::imaging;
namespace make = gallery::imaging::test;
using gallery::errc;
using imaging::format;
using namespace std::string_literals;

namespace {

struct worker_fixture {
    worker_fixture() {
        auto started = imaging::pool::start(make::quick_options(GALLERY_IMAGING_WORKER));
        BOOST_REQUIRE_MESSAGE(started.has_value(), (started.has_error() ? started.error().message : ""));
        pool = std::move(*started);
    }

    imaging::picture accepted(std::string data) {
        auto p = make::inspect(*pool, std::move(data));
        BOOST_REQUIRE_MESSAGE(p.has_value(), (p.has_error() ? p.error().message : ""));
        return std::move(*p);
    }
    std::string refused(std::string data) {
        const auto p = make::inspect(*pool, std::move(data));
        BOOST_REQUIRE(p.has_error());
        BOOST_TEST((p.error().code == errc::not_an_image), p.error().message);
        return p.error().message;
    }
    // Whatever it says, it is the worker that says it: nothing crashed, hung or was exhausted.
    void harmless(std::string data) {
        (void)make::inspect(*pool, std::move(data));
        const auto s = pool->stats();
        BOOST_TEST(s.crashes + s.timeouts + s.exhausted == 0u);
    }

    std::unique_ptr<imaging::pool> pool;
};

void expect_preview(const imaging::picture& p, std::uint32_t width, std::uint32_t height) {
    BOOST_TEST(!p.preview_is_original);
    BOOST_TEST(p.preview_media_type == "image/png");
    BOOST_TEST(p.preview_width == width);
    BOOST_TEST(p.preview_height == height);
    BOOST_TEST((make::png_size(p.preview.view()) == std::pair{width, height}));
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(worker, worker_fixture)

BOOST_AUTO_TEST_CASE(a_small_png_is_its_own_preview) {
    const auto p = accepted(make::make_png(250, 100));
    BOOST_TEST(p.media_type == "image/png");
    BOOST_TEST(p.width == 250u);
    BOOST_TEST(p.height == 100u);
    BOOST_TEST(p.preview_is_original);
    BOOST_TEST(p.preview_media_type == "image/png");
    BOOST_TEST(p.preview_width == 250u);
    BOOST_TEST(p.preview.empty());
}

BOOST_AUTO_TEST_CASE(a_larger_png_is_fitted) {
    expect_preview(accepted(make::make_png(500, 251)), 250, 126);
    expect_preview(accepted(make::make_png(1, 1000)), 1, 250);
    expect_preview(accepted(make::make_png(3000, 2)), 250, 1);
}

BOOST_AUTO_TEST_CASE(every_other_format_gets_a_png) {
    const std::tuple<std::string, format, std::uint32_t, std::uint32_t> cases[] = {
        {make::make_jpeg(), format::jpeg, 16, 8},  {make::make_gif(7, 5), format::gif, 7, 5},
        {make::make_webp(), format::webp, 8, 6},   {make::make_avif(), format::avif, 8, 6},
        {make::make_heif(), format::heif, 8, 6},   {make::make_tiff(9, 4), format::tiff, 9, 4},
        {make::make_bmp(6, 3), format::bmp, 6, 3}, {make::make_ico({16, 24}), format::ico, 24, 24}};
    for (const auto& [data, kind, width, height] : cases) {
        BOOST_TEST_CONTEXT(imaging::display_name(kind)) {
            const auto p = accepted(data);
            BOOST_TEST((p.kind == kind));
            BOOST_TEST(p.media_type == imaging::media_type(kind));
            BOOST_TEST(p.width == width);
            BOOST_TEST(p.height == height);
            expect_preview(p, width, height);
        }
    }
    expect_preview(accepted(make::make_gif(300, 30)), 250, 25);
    expect_preview(accepted(make::make_bmp(300, 30)), 250, 25);
    expect_preview(accepted(make::make_tiff(30, 300)), 25, 250);
    expect_preview(accepted(make::make_ico({256})), 250, 250);
}

BOOST_AUTO_TEST_CASE(orientation_is_applied) {
    for (const std::uint32_t orientation : {1u, 2u, 3u, 4u}) {
        const auto p = accepted(make::make_jpeg(orientation));
        BOOST_TEST(p.width == 16u);
        expect_preview(p, 16, 8);
    }
    for (const std::uint32_t orientation : {5u, 6u, 7u, 8u}) {
        const auto p = accepted(make::make_jpeg(orientation));
        BOOST_TEST(p.width == 8u);
        BOOST_TEST(p.height == 16u);
        expect_preview(p, 8, 16);
    }
    const auto p = accepted(make::make_tiff(600, 300, 6));
    BOOST_TEST(p.width == 300u);
    expect_preview(p, 125, 250);
}

// libvips passes over a profile that lacks the table it is asked for.
BOOST_AUTO_TEST_CASE(a_colour_profile_is_used_with_the_intent_that_it_has) {
    const auto colour = [this](std::string_view profile) {
        const auto p = accepted(make::make_plain_png(300, 3, "\xff\x00\x00"s, profile));
        const auto preview = imaging::worker::read_png(p.preview.view());
        BOOST_REQUIRE(preview.has_value());
        std::vector<int> first;
        BOOST_REQUIRE(!imaging::worker::decode_png(*preview, [&first](std::span<const std::uint8_t> row) {
            first.assign(row.begin(), row.begin() + 3);
        }));
        return first;
    };
    BOOST_TEST((colour("") == std::vector{255, 0, 0}));
    for (const int table : {0, 1, 2}) {
        BOOST_TEST_CONTEXT("A2B" << table) {
            const auto seen = colour(make::make_profile(table));
            BOOST_TEST((seen[0] < 40 && seen[1] > 235 && seen[2] < 40),
                       seen[0] << ", " << seen[1] << ", " << seen[2]);
        }
    }
}

BOOST_AUTO_TEST_CASE(an_animation_counts_its_frames_and_previews_the_first) {
    const auto p = accepted(make::make_gif(20, 10, 12));
    BOOST_TEST(p.frames == 12u);
    BOOST_TEST(p.height == 10u);
    expect_preview(p, 20, 10);
}

BOOST_AUTO_TEST_CASE(limits_are_checked_before_pixels) {
    BOOST_TEST(refused("\x89PNG\r\n\x1a\n" + make::png_ihdr(64250, 64250) +
                       make::png_chunk("IDAT", std::string(5000, 'x')) + make::png_chunk("IEND", "")) ==
               "The PNG image has 64250 × 64250 pixels, 4,128,062,500 in all; at most 200,000,000 are "
               "accepted (IMAGE_MAX_PIXELS).");
    BOOST_TEST(refused(make::make_gif(1, 1, 100'000)) ==
               "The GIF image has 100,000 frames; at most 5,000 are accepted (IMAGE_MAX_FRAMES).");
    auto jpeg = make::make_jpeg();
    const auto frame = jpeg.find("\xff\xc0");
    jpeg.replace(frame + 5, 4, "\xff\xdc\xff\xdc");
    BOOST_TEST(refused(jpeg).ends_with("at most 200,000,000 are accepted (IMAGE_MAX_PIXELS)."));
    auto bmp = make::make_bmp(1, 1);
    bmp.replace(18, 8, make::le32(1'000'000) + make::le32(1'000'000));
    BOOST_TEST(refused(bmp).ends_with(
        "1,000,000,000,000 in all; at most 200,000,000 are accepted (IMAGE_MAX_PIXELS)."));
    BOOST_TEST(
        refused(make::make_svg("", 10'485'761)) ==
        "The SVG image is 10,485,761 bytes long; at most 10,485,760 are accepted (IMAGE_MAX_SVG_SIZE).");
}

BOOST_AUTO_TEST_CASE(what_is_no_image_is_refused_with_what_it_is) {
    BOOST_TEST(refused("").find("an empty file") != std::string::npos);
    BOOST_TEST(refused("%PDF-1.7 ...").find("a PDF document") != std::string::npos);
    BOOST_TEST(refused("<!doctype html><p>").find("an HTML document") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(every_truncation_is_refused) {
    for (const auto& whole :
         {make::make_png(300, 40), make::make_jpeg(), make::make_webp(), make::make_avif(), make::make_heif(),
          make::make_tiff(40, 40), make::make_bmp(40, 40), make::make_ico({20}),
          make::make_svg("width='9' height='9'", 400)}) {
        BOOST_TEST_CONTEXT(imaging::display_name(imaging::sniff(whole).kind)) {
            for (const auto part : {3, 5, 7, 9})
                refused(whole.substr(0, whole.size() * static_cast<unsigned>(part) / 10));
        }
    }
}

BOOST_AUTO_TEST_CASE(damage_in_the_last_rows_is_found_although_the_preview_needs_them_not) {
    // The deflated stream ends early although chunks and check sums are right.
    auto png = make::make_png(700, 700);
    const auto idat = png.find("IDAT");
    const auto length = png.size() - idat - 4 - 4 - 12;
    const auto cut = png.substr(idat + 4, length - 200);
    refused(png.substr(0, idat - 4) + make::png_chunk("IDAT", cut) + make::png_chunk("IEND", ""));
}

BOOST_AUTO_TEST_CASE(a_small_svg_is_its_own_preview) {
    const auto p = accepted(make::make_svg("width='640' height='480'"));
    BOOST_TEST(p.media_type == "image/svg+xml");
    BOOST_TEST(p.width == 640u);
    BOOST_TEST(p.height == 480u);
    BOOST_TEST(p.preview_is_original);
    BOOST_TEST(p.preview_media_type == "image/svg+xml");
    BOOST_TEST(p.preview_width == 640u);
    BOOST_TEST(accepted(make::make_svg("width='10' height='10'", 10'239)).preview_is_original);
}

BOOST_AUTO_TEST_CASE(a_large_svg_gets_a_png_and_a_very_large_one_a_larger_one) {
    expect_preview(accepted(make::make_svg("viewBox='0 0 100 50'", 10'240)), 250, 125);
    expect_preview(accepted(make::make_svg("viewBox='0 0 100 50'", 102'400)), 250, 125);
    expect_preview(accepted(make::make_svg("viewBox='0 0 100 50'", 102'401)), 512, 256);
}

BOOST_AUTO_TEST_CASE(the_size_of_an_svg_is_what_a_browser_shows) {
    const auto size = [this](std::string_view attributes) {
        const auto p = accepted(make::make_svg(attributes));
        return std::pair{p.width, p.height};
    };
    using wh = std::pair<std::uint32_t, std::uint32_t>;
    BOOST_TEST((size("width='600' height='1e3'") == wh{600, 1000}));
    BOOST_TEST((size("viewBox='0 0 24 12'") == wh{24, 12}));
    BOOST_TEST((size("width='100%' height='100%' viewBox='0 0 24 12'") == wh{24, 12}));
    BOOST_TEST((size("width='48' viewBox='0 0 24 12'") == wh{48, 24}));
    BOOST_TEST((size("height='48' viewBox='0 0 24 12'") == wh{96, 48}));
    BOOST_TEST((size("width='1in' height='2.54cm'") == wh{96, 96}));
    BOOST_TEST((size("") == wh{300, 150}));
    BOOST_TEST((size("width='0.2' height='1e30'") == wh{1, 2147483647}));
}

BOOST_AUTO_TEST_CASE(metadata_gives_the_title_and_does_not_count_as_size) {
    const auto p = accepted(
        R"(<svg xmlns="http://www.w3.org/2000/svg" xmlns:tb="https://thingsboard.io/svg" width="9" height="9">)"
        R"(<tb:metadata xmlns=""><![CDATA[{"description":")" +
        std::string(200'000, 'x') + R"(","title":"Kühlturm"}]]></tb:metadata><path d="M0 0h9v9z"/></svg>)");
    BOOST_TEST(p.svg_title == "Kühlturm");
    BOOST_TEST(p.preview_is_original);
}

BOOST_AUTO_TEST_CASE(a_bomb_of_references_is_refused_and_the_next_picture_is_not) {
    auto options = make::quick_options(GALLERY_IMAGING_WORKER);
    options.timeout = std::chrono::seconds(1);
    pool = std::move(*imaging::pool::start(std::move(options)));
    std::string uses =
        "<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink'>"
        "<g id='u0'><rect width='1' height='1'/></g>";
    for (int i = 1; i < 30; ++i) {
        uses += "<g id='u" + std::to_string(i) + "'>";
        for (int k = 0; k < 10; ++k)
            uses += "<use xlink:href='#u" + std::to_string(i - 1) + "'/>";
        uses += "</g>";
    }
    // On a fast machine librsvg counts to its own limit first, else the deadline comes.
    refused(uses + "</svg>");
    accepted(make::make_png(3, 3));
}

BOOST_AUTO_TEST_CASE(hostile_drawings_are_harmless) {
    std::string entities = "<!DOCTYPE svg [<!ENTITY a0 \"lol\">";
    for (int i = 1; i < 30; ++i) {
        const auto before = std::to_string(i - 1);
        const auto now = std::to_string(i);
        std::string ten;
        for (int k = 0; k < 10; ++k)
            ten += "&a" + before + ";";
        entities += "<!ENTITY a" + now + " \"" + ten + "\">";
    }
    const std::string open =
        "<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink' width='9' "
        "height='9'>";
    harmless(entities + "]>" + open + "<text>&a29;</text></svg>");
    harmless(open +
             "<filter id='f'><feGaussianBlur stdDeviation='1e9'/></filter>"
             "<rect width='1e9' height='1e9' filter='url(#f)'/></svg>");
    harmless(open +
             "<image width='9' height='9' xlink:href='file:///etc/passwd'/>"
             "<image width='9' height='9' xlink:href='http://localhost/x.png'/>"
             "<use xlink:href='other.svg#x'/><script>alert(1)</script></svg>");
    harmless("<!DOCTYPE svg [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>" + open + "<text>&x;</text></svg>");
    harmless(open + std::string("<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='/etc/passwd' "
                                "parse='text'/></svg>"));
    std::string deep = open;
    for (int i = 0; i < 100'000; ++i)
        deep += "<g>";
    harmless(deep);
    harmless("<svg xmlns='http://www.w3.org/2000/svg' width='1e30' height='1e30'/>");
}

// Letters, not the boxes that stand for a font which cannot be read: those are equal for equally long words.
BOOST_AUTO_TEST_CASE(text_of_a_drawing_is_rendered) {
    const auto preview = [this](std::string_view text) {
        return std::string(accepted("<svg xmlns='http://www.w3.org/2000/svg' width='100' height='40'><desc>" +
                                    std::string(20'000, 'x') +
                                    "</desc><text x='5' y='30' font-size='30' font-family='monospace'>" +
                                    std::string(text) + "</text></svg>")
                               .preview.view());
    };
    const auto blank = preview("");
    const auto bars = preview("llll");
    BOOST_TEST((bars != blank));
    BOOST_TEST((preview("oooo") != bars));
    BOOST_TEST((preview("....") != preview("####")));
    BOOST_TEST((preview("llll") == bars));
}

// A bar is one stem in the middle of its place; a box that stands for a letter is empty there.
BOOST_AUTO_TEST_CASE(a_letter_of_a_drawing_is_where_it_should_be) {
    const auto p = accepted(
        "<svg xmlns='http://www.w3.org/2000/svg' width='250' height='250'><desc>" + std::string(20'000, 'x') +
        "</desc><rect width='250' height='250' fill='#fff'/><text x='125' y='190' font-size='200' "
        "text-anchor='middle' font-family='monospace'>|</text></svg>");
    const auto preview = imaging::worker::read_png(p.preview.view());
    BOOST_REQUIRE(preview.has_value());
    std::vector<std::vector<std::uint8_t>> rows;
    BOOST_REQUIRE(!imaging::worker::decode_png(
        *preview, [&rows](std::span<const std::uint8_t> row) { rows.emplace_back(row.begin(), row.end()); }));
    BOOST_REQUIRE(rows.size() == 250U);
    const auto red = [&](std::size_t x, std::size_t y) { return rows[y][x * (rows[y].size() / 250)]; };
    for (const std::size_t y : {100U, 125U, 150U}) {
        BOOST_TEST_CONTEXT("row " << y) {
            BOOST_TEST(static_cast<int>(red(125, y)) < 64);
            for (const std::size_t x : {70U, 100U, 150U, 180U})
                BOOST_TEST(static_cast<int>(red(x, y)) > 192);
        }
    }
}

BOOST_AUTO_TEST_CASE(sizes_of_a_drawing_in_units_of_text_and_a_lone_side_are_those_of_css) {
    const auto size = [this](std::string_view attributes) {
        const auto p = accepted(make::make_svg(attributes));
        return std::pair{p.width, p.height};
    };
    using wh = std::pair<std::uint32_t, std::uint32_t>;
    BOOST_TEST((size("width='10em' height='5em'") == wh{160, 80}));
    BOOST_TEST((size("width='10ex' height='5em'") == wh{80, 80}));
    BOOST_TEST((size("width='10em' height='5em' font-size='20'") == wh{200, 100}));
    BOOST_TEST((size("width='10em' viewBox='0 0 2 1'") == wh{160, 80}));
    BOOST_TEST((size("width='1in' viewBox='0 0 2 1'") == wh{96, 48}));
    BOOST_TEST((size("width='600'") == wh{600, 150}));
    BOOST_TEST((size("height='60'") == wh{300, 60}));
    BOOST_TEST((size("width='50%' height='60'") == wh{300, 60}));
}

BOOST_AUTO_TEST_CASE(a_drawing_outside_the_svg_namespace_is_refused_with_that_reason) {
    const std::string inside = "<rect width='9' height='9'/></svg>";
    for (const std::string root :
         {"<svg width='9' height='9'>", "<svg xmlns='http://www.w3.org/1999/xhtml'>"})
        BOOST_TEST(refused(root + inside).find("not in the SVG namespace") != std::string::npos);
    accepted(
        "<s:svg xmlns:s='http://www.w3.org/2000/svg' width='9' height='9'><s:rect width='9' height='9'/>"
        "</s:svg>");
    accepted("<!DOCTYPE svg [<!ENTITY ns 'http://www.w3.org/2000/svg'>]><svg xmlns='&ns;'>" + inside);
}

BOOST_AUTO_TEST_CASE(messages_of_the_parser_name_the_prefix_and_the_line) {
    const std::string root = "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'>\n";
    const auto text = refused(root + "<g inkscape:label='a'/></svg>");
    BOOST_TEST(text.find("line 2: the prefix \"inkscape\" is used but not declared") != std::string::npos);
    BOOST_TEST(text.find("(null)") == std::string::npos);
    BOOST_TEST(refused(root + "\n<g></svg>").find("line 3: ") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(pictures_in_a_drawing_are_drawn_whatever_their_type) {
    const auto drawing = [](const std::string& url) {
        return "<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink' "
               "width='90' "
               "height='90'><desc>" +
               std::string(90'000, 'x') + "</desc><image width='90' height='90' xlink:href='" + url +
               "'/></svg>";
    };
    const auto percent_encoded = [](const std::string& data) {
        std::string out;
        for (const char c : data) {
            out += '%';
            gallery::append_hex(out, static_cast<std::uint8_t>(c), gallery::upper_hex_digits);
        }
        return out;
    };
    const std::string blank(accepted(drawing("")).preview.view());
    const std::string inner =
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"><rect width=\"9\" "
        "height=\"9\"/></svg>";
    for (const auto& [type, data] : {std::pair<std::string, std::string>{"image/webp", make::make_webp()},
                                     {"image/gif", make::make_gif(9, 9)},
                                     {"image/jpg", make::make_jpeg()},
                                     {"image/png", make::make_png(9, 9)},
                                     {"image/bmp", make::make_bmp(9, 9)},
                                     {"image/avif", make::make_avif()},
                                     {"image/svg+xml", inner}}) {
        BOOST_TEST_CONTEXT(type) {
            const auto p = accepted(drawing("data:" + type + "," + percent_encoded(data)));
            BOOST_TEST(!p.preview_is_original);
            BOOST_TEST((p.preview.view() != blank));
        }
    }
    // What cannot be drawn is left to whoever looks at it.
    BOOST_TEST(accepted(drawing("data:image/webp,nonsense")).preview_is_original);
    auto html = drawing("");
    html.insert(html.find("<image"), "<foreignObject width='9' height='9'/>");
    BOOST_TEST(accepted(html).preview_is_original);
}

BOOST_AUTO_TEST_CASE(a_compressed_drawing_comes_back_decompressed) {
    const auto drawing = make::make_svg("width='40' height='20'", 30'000);
    const auto packed = make::gzipped(drawing);
    const auto p = accepted(packed);
    BOOST_TEST((p.kind == format::svg));
    BOOST_TEST((p.document.view() == drawing));
    BOOST_TEST(p.width == 40u);
    BOOST_TEST(accepted(drawing).document.empty());
    BOOST_TEST(refused(packed.substr(0, packed.size() - 9)).find("ends too early") != std::string::npos);
    BOOST_TEST(refused(make::gzipped("words")).find("a gzip archive") != std::string::npos);
    BOOST_TEST(refused(make::gzipped(make::make_svg("", 10'485'761))).ends_with("(IMAGE_MAX_SVG_SIZE)."));
}

BOOST_AUTO_TEST_CASE(a_jpeg_may_lack_its_end_marker_but_no_row) {
    const auto jpeg = make::make_jpeg();
    BOOST_TEST(accepted(jpeg.substr(0, jpeg.size() - 2)).width == 16u);
    BOOST_TEST(accepted(jpeg.substr(0, jpeg.size() - 1)).width == 16u);
    // An end marker that is there does not make up for rows that are not.
    const auto scan = jpeg.find("\xff\xda");
    const auto cut = jpeg.substr(0, scan + (jpeg.size() - scan) / 2);
    BOOST_TEST(refused(cut).ends_with("of 8 rows are present."));
    BOOST_TEST(refused(cut + "\xff\xd9").ends_with("of 8 rows are present."));
}

BOOST_AUTO_TEST_CASE(rows_that_a_jpeg_lacks_are_missed_however_it_is_coded) {
    for (const auto* name : {"testorig.jpg", "testimgint.jpg", "testimgari.jpg"}) {
        BOOST_TEST_CONTEXT(name) {
            const auto whole = make::read(make::testdata() / "jpeg" / name);
            accepted(whole.substr(0, whole.size() - 2));
            for (const auto tenths : {9u, 5u})
                BOOST_TEST(
                    refused(whole.substr(0, whole.size() * tenths / 10)).ends_with("rows are present."));
        }
    }
}

// librsvg aborts where feTile has nothing to repeat.
BOOST_AUTO_TEST_CASE(a_picture_of_which_the_decoder_dies_is_refused_with_that_reason) {
    const auto text = refused(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 200 200'><filter id='f'>"
        "<feFlood flood-color='red' x='0' y='0' width='10' height='10'/><feOffset dx='5' dy='5'/><feTile/>"
        "</filter><rect x='40' y='40' width='120' height='120' filter='url(#f)'/></svg>");
    BOOST_TEST(
        text ==
        "The SVG image cannot be decoded: the decoder failed on it. Save it again with another program, or "
        "simplify it.");
    BOOST_TEST(pool->stats().crashes == 1u);
    accepted(make::make_png(3, 3));
}

BOOST_AUTO_TEST_CASE(the_real_pictures_are_accepted_and_the_invalid_ones_refused) {
    const auto data = make::testdata();
    for (const auto& folder : std::filesystem::directory_iterator(data)) {
        if (!folder.is_directory()) continue;
        const bool invalid = folder.path().filename() == "invalid";
        for (const auto& file : make::files_in(folder.path())) {
            BOOST_TEST_CONTEXT(file.string()) {
                if (invalid) {
                    refused(make::read(file));
                } else {
                    const auto p = accepted(make::read(file));
                    BOOST_TEST((p.preview_is_original || make::png_size(p.preview.view()) ==
                                                             std::pair{p.preview_width, p.preview_height}));
                }
            }
        }
    }
    BOOST_TEST(pool->stats().starts == 1u);
}

// A mistake in a packaged picture would be met by every user at the first start.
BOOST_AUTO_TEST_CASE(the_packaged_system_images_are_accepted_and_symbols_carry_their_titles) {
    const auto* source = std::getenv("GALLERY_SOURCE");
    BOOST_REQUIRE_MESSAGE(source != nullptr, "ctest sets GALLERY_SOURCE");
    const auto folder = std::filesystem::path(source) / "etc" / "system-images";
    const auto index = boost::json::parse(make::read(folder / "index.json"));
    std::size_t symbols = 0;
    for (const auto& entry : index.as_array()) {
        const std::string file(entry.at("file").as_string());
        BOOST_TEST_CONTEXT(file) {
            const auto p = accepted(make::read(folder / file));
            BOOST_TEST(entry.at("version").as_int64() >= 1);
            const bool symbol = entry.at("subType").as_string() == "SCADA_SYMBOL";
            symbols += symbol ? 1 : 0;
            BOOST_TEST(p.svg_title == (symbol ? std::string_view(entry.at("title").as_string()) : ""));
        }
    }
    BOOST_TEST(symbols >= 6u);
    BOOST_TEST(index.as_array().size() + 1 == make::files_in(folder).size());
}

BOOST_AUTO_TEST_SUITE_END()
