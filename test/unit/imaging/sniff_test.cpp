// SPDX-License-Identifier: Apache-2.0
#include "imaging/sniff.hpp"

#include "support.hpp"

#define GALLERY_TEST_MODULE "imaging"
#include "boost_test.hpp"

namespace imaging = gallery::imaging;
using imaging::format;
using imaging::sniff;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

std::string utf16(std::string_view text, bool big_endian, bool mark) {
    std::string out;
    const auto put = [&](unsigned char high, unsigned char low) {
        out.push_back(static_cast<char>(big_endian ? high : low));
        out.push_back(static_cast<char>(big_endian ? low : high));
    };
    if (mark) put(0xfe, 0xff);
    for (const char c : text)
        put(0, static_cast<unsigned char>(c));
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(sniffing)

BOOST_AUTO_TEST_CASE(every_accepted_format_is_recognised_by_its_bytes) {
    namespace make = imaging::test;
    BOOST_TEST((sniff(make::make_png(1, 1)).kind == format::png));
    BOOST_TEST((sniff(make::make_jpeg()).kind == format::jpeg));
    BOOST_TEST((sniff(make::make_gif(1, 1)).kind == format::gif));
    BOOST_TEST((sniff(make::make_webp()).kind == format::webp));
    BOOST_TEST((sniff(make::make_tiff(1, 1)).kind == format::tiff));
    BOOST_TEST((sniff(make::make_bmp(1, 1)).kind == format::bmp));
    BOOST_TEST((sniff(make::make_ico({1})).kind == format::ico));
    BOOST_TEST((sniff("\0\0\0\x1c"
                      "ftypavif\0\0\0\0avifmif1miaf"sv)
                    .kind == format::avif));
    BOOST_TEST((sniff("\0\0\0\x1c"
                      "ftypmif1\0\0\0\0mif1avifmiaf"sv)
                    .kind == format::avif));
    BOOST_TEST((sniff("\0\0\0\x18"
                      "ftypheic\0\0\0\0mif1heic"sv)
                    .kind == format::heif));
}

BOOST_AUTO_TEST_CASE(svg_is_found_behind_its_prologue) {
    for (const auto& text : {
             "<svg/>"s,
             "\xef\xbb\xbf  <svg xmlns='http://www.w3.org/2000/svg'/>"s,
             "<?xml version=\"1.0\"?>\n<!-- a > b --><svg>"s,
             "<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"x.dtd\" [<!ENTITY a \"<html>\">]>\n<svg>"s,
             "<s:svg xmlns:s='http://www.w3.org/2000/svg'/>"s,
             "<!--" + std::string(200'000, 'x') + "--><svg>",
             utf16("<?xml version='1.0'?><svg/>", false, true),
             utf16("<?xml version='1.0'?><svg/>", true, true),
             utf16("<svg/>", false, false),
             utf16("<svg/>", true, false),
         }) {
        BOOST_TEST((sniff(text).kind == format::svg), text.substr(0, 80));
    }
}

BOOST_AUTO_TEST_CASE(what_is_not_an_image_is_named) {
    const std::pair<std::string, std::string_view> cases[] = {
        {"", "an empty file"},
        {"%PDF-1.7\n", "a PDF document"},
        {"<!DOCTYPE HTML><html>", "an HTML document"},
        {"<HTML><svg>", "an HTML document"},
        {"<?xml version='1.0'?><note/>", "an XML document other than SVG"},
        {"hello, world", "plain text"},
        {" \n\t ", "a file that contains only white space"},
        {"{\"a\": 1}", "a JSON document"},
        {"PK\x03\x04....", "a ZIP archive or an office document"},
        {"\x89PNG\n\x1a\n", "a PNG image whose signature is damaged"},
        {"\0\0\0\x18"
         "ftypisom\0\0\0\0isommp42"s,
         "an MP4 video or audio file"},
        {"\0\x01\x02\x03"s, "unknown binary data"},
        {"<", "plain text"},
        {"<svgx/>", "an XML document other than SVG"},
        {"text before <svg/>", "plain text"},
        {"BM", "plain text"},
        {"\0\0\1\0\0\0"s, "unknown binary data"},
    };
    for (const auto& [data, phrase] : cases) {
        const auto found = sniff(data);
        BOOST_TEST((found.kind == format::unknown));
        BOOST_TEST(found.looks_like == phrase);
    }
    BOOST_TEST(imaging::not_an_image_text(sniff("%PDF-1.4"))
                   .starts_with("The file is not an image: it looks like a PDF document."));
}

BOOST_AUTO_TEST_CASE(no_beginning_of_any_picture_is_read_beyond_its_end) {
    namespace make = imaging::test;
    for (const auto& whole :
         {make::make_png(2, 2), make::make_gif(2, 2), make::make_bmp(2, 2), make::make_ico({2}),
          make::make_tiff(2, 2), make::make_jpeg(), make::make_webp(), make::make_svg("", 600),
          "\0\0\0\x18"
          "ftypheic\0\0\0\0mif1heic"s}) {
        // A copy of exactly that length lets the address sanitizer see one byte too many.
        for (std::size_t length = 0; length <= std::min<std::size_t>(whole.size(), 600); ++length) {
            const std::vector<char> part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
            sniff({part.data(), part.size()});
        }
    }
}

BOOST_AUTO_TEST_CASE(media_types_are_those_of_thingsboard) {
    BOOST_TEST(imaging::media_type(format::ico) == "image/x-icon");
    BOOST_TEST(imaging::media_type(format::svg) == "image/svg+xml");
    BOOST_TEST(imaging::media_type(format::jpeg) == "image/jpeg");
}

BOOST_AUTO_TEST_CASE(the_real_pictures_are_what_their_folder_says) {
    const auto data = imaging::test::testdata();
    for (const auto kind : {format::png, format::jpeg, format::gif, format::webp, format::avif, format::tiff,
                            format::bmp, format::ico, format::svg}) {
        auto name = std::string(imaging::display_name(kind));
        std::ranges::transform(name, name.begin(), [](char c) { return static_cast<char>(c | 0x20); });
        for (const auto& file : imaging::test::files_in(data / name)) {
            BOOST_TEST((sniff(imaging::test::read(file)).kind == kind), file.string());
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
