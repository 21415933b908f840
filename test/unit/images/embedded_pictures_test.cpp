// SPDX-License-Identifier: Apache-2.0
#include "images/embedded_pictures.hpp"

#include "boost_test.hpp"

#include <gallery/encode.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <string>
#include <vector>

using namespace gallery;
using namespace gallery::images;

namespace {

namespace json = boost::json;

constexpr std::uint64_t any_size = 1 << 30;
const std::string png = "\x89PNG\r\n\x1a\n and more";

std::string data_url(std::string_view content, std::string_view type = "image/png") {
    return "data:" + std::string(type) + ";base64," + base64_encode(content);
}

std::string metadata(std::string_view key, std::string_view title, std::string_view more = "") {
    return "tb-image:" + base64_encode(key) + ":" + base64_encode(title) + std::string(more) + ";";
}

std::string document(std::string_view value) {
    return "{\"title\":\"Plant 1\",\"logo\":" + json::serialize(json::string_view(value)) + "}";
}

/// Of pictures with at most so many bytes.
picture_size_check at_most(std::uint64_t most) {
    return [most](std::uint64_t size) -> result<void> {
        if (size <= most) return {};
        return error{errc::too_large, "The image has " + std::to_string(size) + " bytes."};
    };
}

document_pictures find(const std::string& text) {
    return find_pictures(text, at_most(any_size)).value();
}

/// The only picture of a document with this string.
embedded_picture one(std::string_view value) {
    auto found = find(document(value));
    BOOST_TEST_REQUIRE(found.pictures.size() == 1U);
    BOOST_TEST(found.places.size() == 1U);
    BOOST_TEST(found.left.empty());
    return found.pictures[0];
}

error refusal(const std::string& text, std::uint64_t most = any_size) {
    const auto found = find_pictures(text, at_most(most));
    BOOST_TEST_REQUIRE(found.has_error());
    return found.error();
}

bool has(const error& why, std::string_view words) {
    return why.message.find(words) != std::string::npos;
}

std::string with_links(const std::string& text) {
    const auto found = find(text);
    std::string out;
    const auto write = [](std::size_t item, std::string& to) {
        to += link_literal("/api/images/tenant/" + std::to_string(item));
        return true;
    };
    replace_strings(text, found.places, write, out);
    return out;
}

image_record record_of(std::string key, std::string title) {
    image_record record;
    record.key = std::move(key);
    record.title = std::move(title);
    record.sub_type = image_sub_type::scada_symbol;
    record.original.media_type = "image/svg+xml";
    record.preview.media_type = "image/png";
    return record;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(embedded_pictures)

BOOST_AUTO_TEST_CASE(a_picture_has_one_of_three_forms) {
    for (const auto& value :
         {data_url(png), "tb-image;" + data_url(png), metadata("k.png", "A title") + data_url(png),
          data_url(png, "image/png;charset=utf-8"), data_url(png, "IMAGE/PNG"),
          "DATA:image/png;BASE64," + base64_encode(png)}) {
        BOOST_TEST_CONTEXT(value) {
            const auto found = one(value);
            BOOST_TEST(found.data.view() == png);
            BOOST_TEST((found.digest == sha256(png)));
            BOOST_TEST(found.path == "/logo");
            BOOST_TEST(found.count == 1U);
        }
    }
}

BOOST_AUTO_TEST_CASE(base64_may_have_line_breaks_and_lack_its_padding) {
    auto text = base64_encode(png);
    while (text.ends_with('='))
        text.pop_back();
    text.insert(8, "\r\n ");
    BOOST_TEST(one("data:image/png;base64," + text).data.view() == png);
}

BOOST_AUTO_TEST_CASE(escapes_may_be_anywhere_in_it) {
    const std::string content = "\xFF\xFF\xFF\xFF\xFF\xFE";  // has slashes in Base64
    const auto base64 = base64_encode(content);
    BOOST_TEST_REQUIRE(base64.find('/') != std::string::npos);
    std::string escaped;
    for (const char c : "data:image/png;base64," + base64)
        escaped += c == '/' ? std::string("\\/") : std::string(1, c);
    std::string in_hexadecimal;
    for (const char c : "data:image/png;base64," + base64) {
        in_hexadecimal += "\\u00";
        append_hex(in_hexadecimal, static_cast<std::uint8_t>(c));
    }
    for (const auto& literal : {escaped, in_hexadecimal}) {
        const auto text = "[\"" + literal + "\"]";
        const auto found = find(text);
        BOOST_TEST_REQUIRE(found.pictures.size() == 1U);
        BOOST_TEST(found.pictures[0].data.view() == content);
        BOOST_TEST(with_links(text) == R"(["tb-image;/api/images/tenant/0"])");
    }
}

BOOST_AUTO_TEST_CASE(everything_else_stays_byte_for_byte) {
    const auto picture = json::serialize(json::string_view(data_url(png)));
    const std::string before =
        "\t{ \"z\" : 1.0 ,\"a\":1e+2,\"big\":123456789012345678901234567890,\r\n\"z\":-0,\"e\":"
        "\"\\u00e9\\/\\\\\",\"picture\":";
    const std::string behind = " ,\"list\":[1, \"data:image\",null,\"tb-image:\"]}\n ";
    BOOST_TEST(with_links(before + picture + behind) ==
               before + "\"tb-image;/api/images/tenant/0\"" + behind);
}

BOOST_AUTO_TEST_CASE(the_same_bytes_are_one_picture) {
    const auto text =
        json::serialize(json::array{data_url(png), data_url("other"), data_url(png, "image/gif"),
                                    metadata("k.png", "t") + data_url(png)});
    const auto found = find(text);
    BOOST_TEST(found.pictures.size() == 2U);
    BOOST_TEST(found.pictures[0].count == 3U);
    BOOST_TEST(found.pictures[0].path == "/0");
    BOOST_TEST(found.places.size() == 4U);
    BOOST_TEST(with_links(text) == R"(["tb-image;/api/images/tenant/0","tb-image;/api/images/tenant/1",)"
                                   R"("tb-image;/api/images/tenant/0","tb-image;/api/images/tenant/0"])");
}

BOOST_AUTO_TEST_CASE(names_come_from_the_metadata) {
    const auto found =
        one(metadata("Küche.png", "A kitchen", ":" + base64_encode("SCADA_SYMBOL") + ":abc") + data_url(png));
    BOOST_TEST(found.key == "Küche.png");
    BOOST_TEST(found.file_name == "Küche.png");
    BOOST_TEST(found.title == "A kitchen");
    BOOST_TEST((found.sub_type == image_sub_type::scada_symbol));
    const auto older = one(metadata("k.png", "t") + data_url(png));
    BOOST_TEST(!older.sub_type.has_value());
}

BOOST_AUTO_TEST_CASE(names_are_made_where_there_are_none_or_wrong_ones) {
    const auto plain = one(data_url(png, "image/jpeg"));
    BOOST_TEST(plain.key.empty());
    BOOST_TEST(plain.title == "Plant 1 logo");
    BOOST_TEST(plain.file_name == "plant_1_logo.png");  // by its bytes, not by the declared type
    for (const auto& wrong :
         {metadata("../../etc", std::string("a\0b", 3)), metadata("", ""), std::string("tb-image:!!:??:%%;"),
          std::string("tb-image:;"), metadata(std::string(300, 'k'), std::string(300, 't'))}) {
        BOOST_TEST_CONTEXT(wrong) {
            // "tb-image:;" has no metadata at all, and is accepted all the same.
            const auto found = one(wrong + data_url(png));
            BOOST_TEST(found.title == "Plant 1 logo");
            BOOST_TEST(found.file_name == "plant_1_logo.png");
        }
    }
    const auto text =
        "[" + json::serialize(json::string_view(data_url("no known bytes", "image/tiff"))) + "]";
    BOOST_TEST(find(text).pictures[0].title == "picture");
    BOOST_TEST(find(text).pictures[0].file_name == "picture.tiff");
    const auto long_title = R"({"title":")" + std::string(5'000, 'x') + R"(","a":")" + data_url(png) + "\"}";
    BOOST_TEST(find(long_title).pictures[0].title.size() == 255U);
    BOOST_TEST(find(long_title).pictures[0].file_name.size() <= 255U);
}

BOOST_AUTO_TEST_CASE(a_picture_may_be_named_by_its_etag_alone) {
    const auto etag = to_hex(sha256(png));
    const auto alone =
        metadata("k.png", "t", ":" + base64_encode("IMAGE") + ":" + etag) + "data:image/png;base64,";
    const auto found = one(alone);
    BOOST_TEST(found.data.empty());
    BOOST_TEST((found.digest == sha256(png)));
    // The bytes may come later in the document.
    const auto both = find(json::serialize(json::array{alone, data_url(png)}));
    BOOST_TEST_REQUIRE(both.pictures.size() == 1U);
    BOOST_TEST(both.pictures[0].data.view() == png);
    // What the etag says of bytes that are there is not believed.
    const auto lie = metadata("k.png", "t", "::" + to_hex(sha256(std::string_view("other")))) + data_url(png);
    BOOST_TEST((one(lie).digest == sha256(png)));
}

BOOST_AUTO_TEST_CASE(what_is_no_picture_of_its_own_is_left_and_reported) {
    const auto text = json::serialize(json::object{
        {"css", "background: url(" + data_url(png) + ")"},
        {"html", "<img src='" + data_url(png) + "'>"},
        {"svg", "data:image/svg+xml;utf8,<svg xmlns='http://www.w3.org/2000/svg'/>"},
        {"escaped", "data:image/svg+xml,%3Csvg/%3E"},
        {"text", "data:text/plain;base64,aGVsbG8="},
        {"link", "tb-image;/api/images/tenant/x.png"},
        {"name", "tb-image"},
        {"word", "data:imaged"},
    });
    const auto found = find(text);
    BOOST_TEST(found.pictures.empty());
    BOOST_TEST(found.places.empty());
    std::vector<std::string> left;
    for (const auto& each : found.left)
        left.push_back(each.path + (each.reason == left_reason::in_text ? " in text" : " not base64"));
    BOOST_TEST(left == (std::vector<std::string>{"/css in text", "/html in text", "/svg not base64",
                                                 "/escaped not base64"}),
               boost::test_tools::per_element());
    BOOST_TEST(with_links(text) == text);
}

BOOST_AUTO_TEST_CASE(names_of_members_are_no_values) {
    const auto text = "{\"" + data_url(png) + "\":1}";
    BOOST_TEST(find(text).pictures.empty());
}

BOOST_AUTO_TEST_CASE(a_damaged_picture_is_refused_with_its_path) {
    for (const std::string data : {"aGVsbG", "a!", "====", "", "a",
                                   "YQ=="
                                   "YQ=="}) {
        BOOST_TEST_CONTEXT(data) {
            const auto why = refusal(R"({"a":["x","data:image/png;base64,)" + data + "\"]}");
            BOOST_TEST((why.code == errc::invalid_argument));
            BOOST_TEST(has(why, "'/a/1'"));
        }
    }
}

BOOST_AUTO_TEST_CASE(the_size_of_a_picture_and_the_number_of_pictures_are_limited) {
    const auto text = document(data_url(std::string(1000, 'x')));
    BOOST_TEST(find_pictures(text, at_most(1000)).has_value());
    const auto why = refusal(text, 999);
    BOOST_TEST((why.code == errc::too_large));
    BOOST_TEST(has(why, "'/logo'"));

    json::array many;
    for (std::size_t i = 0; i < max_document_images; ++i) {
        many.emplace_back(data_url(std::to_string(i)));
        many.emplace_back(data_url("0"));
    }
    BOOST_TEST(find(json::serialize(many)).pictures.size() == max_document_images);
    many.emplace_back(data_url("another"));
    BOOST_TEST((refusal(json::serialize(many)).code == errc::too_large));
}

// A link can be longer than the picture that it replaces.
BOOST_AUTO_TEST_CASE(the_number_of_places_is_limited) {
    json::array pictures(max_document_places, json::value(data_url("0")));
    json::array links(max_document_places, json::value("tb-image;/api/images/tenant/x.png"));
    BOOST_TEST(find(json::serialize(pictures)).places.size() == max_document_places);
    BOOST_TEST(find_links(json::serialize(links)).value().places.size() == max_document_places);
    pictures.push_back(pictures.front());
    links.push_back(links.front());
    const auto too_many = std::to_string(max_document_places);
    BOOST_TEST((refusal(json::serialize(pictures)).code == errc::too_large));
    BOOST_TEST(has(refusal(json::serialize(pictures)), too_many));
    BOOST_TEST((find_links(json::serialize(links)).error().code == errc::too_large));
}

BOOST_AUTO_TEST_CASE(reports_do_not_grow_with_the_document) {
    json::array many;
    for (int i = 0; i < 10'000; ++i)
        many.emplace_back("url(data:image/png;base64,AAAA)");
    BOOST_TEST(find(json::serialize(many)).left.size() == document_pictures::max_left_pictures);
}

BOOST_AUTO_TEST_CASE(links_are_found_with_the_key_as_it_is) {
    const auto text = json::serialize(json::object{
        {"a", "tb-image;/api/images/tenant/x.png"},
        {"b", "tb-image;/api/images/system/Küche \"1\" 100%.png"},
        {"c", "tb-image;/api/images/tenant/x.png"},
        {"d", "tb-image;/api/images/tenant/x.png/preview"},
        {"e", "/api/images/tenant/no-prefix.png"},
        {"f", "tb-image;/api/images/public/AAAA"},
        {"g", "tb-image;/api/images/tenant/"},
        {"h", "tb-image;/api/images/tenant/a/b"},
        {"i", "tb-image;/api/images/tenant/.."},
        {"j", "text tb-image;/api/images/tenant/x.png"},
        {"tb-image;/api/images/tenant/x.png", 1},
    });
    const auto found = find_links(text).value();
    BOOST_TEST_REQUIRE(found.links.size() == 3U);
    BOOST_TEST(found.links[0].key == "x.png");
    BOOST_TEST(found.links[0].link == "/api/images/tenant/x.png");
    BOOST_TEST(found.links[0].count == 2U);
    BOOST_TEST(!found.links[0].is_system);
    BOOST_TEST(found.links[1].key == "Küche \"1\" 100%.png");
    BOOST_TEST(found.links[1].is_system);
    BOOST_TEST(found.links[2].is_preview);
    BOOST_TEST(found.links[2].key == "x.png");
    BOOST_TEST(found.places.size() == 4U);
    const std::string escaped = R"(["tb-image;\/api\/images\/tenant\/x.png"])";
    BOOST_TEST(find_links(escaped).value().links.at(0).key == "x.png");
}

BOOST_AUTO_TEST_CASE(a_link_that_is_written_is_found_again) {
    for (const std::string key : {"x.png", "a \"b\".png", "Ü%2F.svg", "\xF0\x9F\x98\x80.png"}) {
        const auto text = "[" + link_literal("/api/images/system/" + key) + "]";
        const auto found = find_links(text).value();
        BOOST_TEST_REQUIRE(found.links.size() == 1U);
        BOOST_TEST(found.links[0].key == key);
    }
}

BOOST_AUTO_TEST_CASE(a_picture_that_is_embedded_is_found_again) {
    const auto record = record_of("Pump \"1\".svg", "Pümp");
    const auto text = "[" + embedded_head(record, representation::original) + base64_encode("<svg/>") + "\"]";
    const auto found = find(text);
    BOOST_TEST_REQUIRE(found.pictures.size() == 1U);
    BOOST_TEST(found.pictures[0].data.view() == "<svg/>");
    BOOST_TEST(found.pictures[0].key == record.key);
    BOOST_TEST(found.pictures[0].title == record.title);
    BOOST_TEST((found.pictures[0].sub_type == record.sub_type));
    BOOST_TEST(embedded_head(record, representation::preview).ends_with("data:image/png;base64,"));
}

BOOST_AUTO_TEST_SUITE_END()
