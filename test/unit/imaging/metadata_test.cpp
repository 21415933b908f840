// SPDX-License-Identifier: Apache-2.0
#include "imaging/svg_metadata.hpp"
#include "imaging/xml.hpp"

#include "support.hpp"

#include "boost_test.hpp"

#include <chrono>

namespace imaging = gallery::imaging;
using imaging::json_title;
using imaging::read_svg_metadata;

BOOST_AUTO_TEST_SUITE(svg_metadata)

BOOST_AUTO_TEST_CASE(the_title_is_read_from_cdata) {
    const auto m = read_svg_metadata(
        R"(<svg xmlns:tb="https://thingsboard.io/svg"><tb:metadata xmlns=""><![CDATA[{"title": "HP > Battery",
           "tags": [{"title": "inner"}]}]]></tb:metadata><g/></svg>)");
    BOOST_TEST(m.present);
    BOOST_REQUIRE(m.title);
    BOOST_TEST(*m.title == "HP > Battery");
    BOOST_TEST(m.size_without ==
               std::string_view(R"(<svg xmlns:tb="https://thingsboard.io/svg"><g/></svg>)").size());
}

BOOST_AUTO_TEST_CASE(the_title_is_read_from_escaped_text) {
    const auto m = read_svg_metadata(
        "<svg><tb:metadata>{&quot;title&quot;:&#34;Pump &amp; pipe&#x22;}</tb:metadata></svg>");
    BOOST_REQUIRE(m.title);
    BOOST_TEST(*m.title == "Pump & pipe");
}

BOOST_AUTO_TEST_CASE(only_the_outermost_title_counts) {
    BOOST_TEST((json_title(R"({"a":{"title":"inner"},"title":"outer"})") == "outer"));
    BOOST_TEST((json_title(R"({"x":"title","y":["title","z"],"title":"t\u00e4t\ud83d\ude00"})") == "tät😀"));
    BOOST_TEST((json_title(R"({"a":{"title":"inner"}})") == std::nullopt));
    BOOST_TEST((json_title(R"([{"title":"in a list"}])") == std::nullopt));
    BOOST_TEST((json_title(R"({"title":null})") == std::nullopt));
    BOOST_TEST((json_title(R"({"title":"never ends)") == std::nullopt));
    BOOST_TEST((json_title("") == std::nullopt));
    BOOST_TEST((json_title("}") == std::nullopt));
    BOOST_TEST((json_title(R"({"title)") == std::nullopt));
    BOOST_TEST((json_title(R"({"title":"\u12)") == std::nullopt));
}

BOOST_AUTO_TEST_CASE(a_title_is_shown_as_one_line) {
    BOOST_TEST(
        (*read_svg_metadata(R"(<svg><tb:metadata>{"title":" a\nb\t"}</tb:metadata></svg>)").title == "a b"));
    BOOST_TEST(!read_svg_metadata(R"(<svg><tb:metadata>{"title":"  "}</tb:metadata></svg>)").title);
}

BOOST_AUTO_TEST_CASE(what_looks_like_metadata_in_comments_and_attributes_is_not) {
    BOOST_TEST(
        !read_svg_metadata("<svg><!-- <tb:metadata>{\"title\":\"x\"}</tb:metadata> --></svg>").present);
    BOOST_TEST(!read_svg_metadata("<svg a='<tb:metadata>{}</tb:metadata>'/>").present);
    BOOST_TEST(!read_svg_metadata("<svg><![CDATA[<tb:metadata>]]></svg>").present);
    BOOST_TEST(!read_svg_metadata("<svg><tb:metadata>never ends").present);
    BOOST_TEST(read_svg_metadata("<svg><tb:metadata/></svg>").present);
}

BOOST_AUTO_TEST_CASE(utf16_documents_have_titles_too) {
    std::string wide = "\xff\xfe";
    const std::string_view text = R"(<svg><tb:metadata>{"title":"Valve"}</tb:metadata></svg>)";
    for (const char c : text) {
        wide.push_back(c);
        wide.push_back('\0');
    }
    const auto m = read_svg_metadata(wide);
    BOOST_REQUIRE(m.title);
    BOOST_TEST(*m.title == "Valve");
    BOOST_TEST(m.size_without == 2 + 2 * std::string_view("<svg></svg>").size());
}

// Hostile documents of some megabytes are read in one pass: quadratic work would take hours here.
BOOST_AUTO_TEST_CASE(hostile_documents_take_linear_time) {
    constexpr std::size_t size = 4'000'000;
    const auto repeat = [](std::string_view part) {
        std::string out;
        while (out.size() < size)
            out += part;
        return out;
    };
    for (const auto* part : {"<", "<!--", "<![CDATA[", "<?", "<!", "<a", "<a b='", "<tb:metadata>", "&",
                             "<!DOCTYPE [", "</tb:metadata", "]]>", "\""}) {
        read_svg_metadata("<svg>" + repeat(part));
        read_svg_metadata("<svg><tb:metadata>" + repeat(part) + "</tb:metadata></svg>");
    }
    for (const auto* part : {"{", "[", "\\", "\"", "{\"a\":", ","})
        json_title("{" + repeat(part));
}

BOOST_AUTO_TEST_CASE(the_real_symbols_have_titles) {
    const auto data = imaging::test::testdata();
    const std::pair<const char*, const char*> titles[] = {
        {"scada-battery-hp.svg", "HP Battery"},
        {"scada-bottom-flow-meter.svg", "Bottom flow meter"},
        {"scada-centrifugal-pump.svg", "Centrifugal pump"},
        {"scada-cylindrical-tank.svg", "Cylindrical tank"}};
    for (const auto& [file, title] : titles) {
        const auto m = read_svg_metadata(imaging::test::read(data / "svg" / file));
        BOOST_REQUIRE(m.title);
        BOOST_TEST(*m.title == title);
    }
    BOOST_TEST(!read_svg_metadata(imaging::test::read(data / "svg" / "logo.svg")).present);
}

BOOST_AUTO_TEST_SUITE_END()
