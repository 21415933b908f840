// SPDX-License-Identifier: Apache-2.0
#include "images/resource_export.hpp"

#include "boost_test.hpp"

#include <boost/json/parse.hpp>

using namespace gallery;
using namespace gallery::images;

namespace {

result<resource_export> read(const std::string& text, std::size_t piece = 1 << 20) {
    resource_export_reader reader(text.size());
    for (std::size_t at = 0; at < text.size(); at += piece) {
        if (auto fed = reader.feed(std::string_view(text).substr(at, piece)); !fed) return fed.error();
    }
    return reader.finish();
}

const std::string sample =
    R"({"link":"/api/images/tenant/x.png","title":"A \"title\" ü","type":"IMAGE","subType":"SCADA_SYMBOL",)"
    R"("resourceKey":"x.png","fileName":"y.png","publicResourceKey":"P","public":true,"mediaType":"image/png",)"
    R"("other":{"title":"inner","data":"!"},"list":["data",1,2.5,null],"data":"aGVsbG8gd29ybGQ="})";

}  // namespace

BOOST_AUTO_TEST_SUITE(resource_exports)

BOOST_AUTO_TEST_CASE(a_document_in_pieces_of_any_length_reads_the_same) {
    for (std::size_t piece = 1; piece < 40; ++piece) {
        const auto got = read(sample, piece).value();
        BOOST_TEST(got.title == "A \"title\" ü");
        BOOST_TEST(got.resource_key == "x.png");
        BOOST_TEST(got.file_name == "y.png");
        BOOST_TEST(got.public_key == "P");
        BOOST_TEST(got.media_type == "image/png");
        BOOST_TEST((got.is_public == true));
        BOOST_TEST((got.sub_type == image_sub_type::scada_symbol));
        BOOST_TEST(std::string(got.data.begin(), got.data.end()) == "hello world");
        BOOST_TEST((got.digest == sha256(std::string_view("hello world"))));
    }
}

BOOST_AUTO_TEST_CASE(the_picture_is_decoded_into_memory_once) {
    const auto got = read(R"({"data":")" + std::string(40'000, 'A') + R"("})", 1000).value();
    BOOST_TEST(got.data.size() == 30'000U);
    BOOST_TEST(got.data.capacity() < 31'000U);
}

BOOST_AUTO_TEST_CASE(every_prefix_is_refused) {
    for (std::size_t length = 0; length < sample.size(); ++length)
        BOOST_TEST(read(sample.substr(0, length)).has_error(), "the first " << length << " bytes");
}

BOOST_AUTO_TEST_CASE(what_is_no_export_is_refused_with_a_reason) {
    const std::pair<std::string, std::string> cases[] = {
        {"[]", "object"},
        {"null", "object"},
        {"{}", "'data' is missing"},
        {R"({"data":null})", "'data' is missing"},
        {R"({"data":"a!"})", "Base64"},
        {R"({"data":"aGVsbG"})", "Base64"},
        {R"({"data":"data:image/svg+xml,%3Csvg/%3E"})", "Base64"},
        {R"({"data":"data:image/png;base64"})", "comma"},
        {R"({"data":""})", "'data' is missing"},
        {"", "'data' is missing"},
        {" \n", "'data' is missing"},
        {"\xEF\xBB\xBF", "'data' is missing"},
        {std::string("\xFF\xFE{\0}", 5), "UTF-16"},
        {std::string("\xFF\xFE{\0\0\xDC}\0", 8), "UTF-16"},
        {R"({"data":"","type":"JKS"})", "JKS"},
        {R"({"data":"","subType":"X"})", "subType"},
        {R"({"data":""} x)", "JSON"},
        {R"({"data":"","public":"maybe"})", "'public'"},
        {R"({"data":"","isPublic":2})", "'isPublic'"},
        {R"({"data":"","resourceKey":5})", "'resourceKey'"},
        {R"({"data":"","resourceKey":5.5})", "'resourceKey'"},
        {R"({"data":"","fileName":true})", "'fileName'"},
        {R"({"data":"","title":{"a":"b"}})", "'title'"},
        {R"({"data":"","subType":[]})", "'subType'"},
        {R"({"data":7})", "'data'"},
        {R"({"data":"","tags":"a"})", "'tags' of the import is a text. It takes a list of texts."},
        {R"({"data":"","tags":{"a":"b"}})", "'tags'"},
        {R"({"data":"","tags":["a",["b"]]})", "'tags' of the import is an array"},
        {R"({"data":"","tags":["a",1]})", "'tags' of the import is a number"},
        {R"({"data":"","tags":[true]})", "'tags'"},
        {R"({"data":"","createdTime":"1"})", "'createdTime' of the import is a text. It takes milliseconds"},
        {R"({"data":"","createdTime":[1]})", "'createdTime'"},
        {R"({"data":"","createdTime":1.5})", "'createdTime'"},
        {R"({"data":"","createdTime":0})", "'createdTime' of the import is a number out of range"},
        {R"({"data":"","createdTime":-1})", "out of range"},
        {R"({"data":"","createdTime":253402300800000})", "out of range"},
        {R"({"data":"","createdTime":18446744073709551615})", "out of range"},
        {"{\"title\":\"\xff\"}", "JSON"},
        {R"({"title":")" + std::string(9000, 'x') + R"("})", "8192"}};
    for (const auto& [text, word] : cases) {
        const auto got = read(text);
        BOOST_REQUIRE_MESSAGE(got.has_error(), text.substr(0, 40));
        BOOST_TEST((got.error().code == errc::invalid_argument));
        BOOST_TEST(got.error().message.find(word) != std::string::npos, got.error().message);
    }
}

BOOST_AUTO_TEST_CASE(tags_and_the_time_of_creation_are_read) {
    const auto got =
        read(R"({"tags":["b",null,"a"],"createdTime":1700000000001,"title":"t","data":"AAAA"})", 3).value();
    BOOST_TEST((got.tags == std::vector<std::string>{"b", "a"}));
    BOOST_TEST(got.created_time == 1700000000001);
    BOOST_TEST(got.title == "t");
    BOOST_TEST((read(R"({"data":"AAAA","tags":[]})").value().tags == std::vector<std::string>{}));
    BOOST_TEST(
        (read(R"({"data":"AAAA","tags":["a"],"tags":["b"]})").value().tags == std::vector<std::string>{"b"}));
    const auto without = read(R"({"data":"AAAA","tags":null,"x":{"tags":[1],"createdTime":[]}})").value();
    BOOST_TEST(!without.tags.has_value());
    BOOST_TEST(without.created_time == 0);
}

BOOST_AUTO_TEST_CASE(a_boolean_may_be_a_text_or_a_number) {
    const std::pair<const char*, bool> cases[] = {
        {R"("true")", true}, {R"("True")", true},   {R"("on")", true},  {R"("1")", true}, {"1", true},
        {"0", false},        {R"("FALSE")", false}, {R"("no")", false}, {"true", true},   {"false", false}};
    for (const auto& [text, expected] : cases) {
        const auto got = read(std::string(R"({"data":"AAAA","public":)") + text + "}", 3).value();
        BOOST_TEST((got.is_public == std::optional<bool>(expected)), text);
    }
    BOOST_TEST((read(R"({"data":"AAAA","public":""})").value().is_public == std::nullopt));
    BOOST_TEST((read(R"({"data":"AAAA","public":null})").value().is_public == std::nullopt));
}

BOOST_AUTO_TEST_CASE(byte_order_marks_and_utf_16_are_read) {
    const auto utf16 = [](std::u16string_view text, bool little) {
        std::string out(little ? "\xFF\xFE" : "\xFE\xFF");
        for (const char16_t unit : text) {
            const char bytes[] = {static_cast<char>(unit & 0xFF), static_cast<char>(unit >> 8)};
            out += little ? bytes[0] : bytes[1];
            out += little ? bytes[1] : bytes[0];
        }
        return out;
    };
    const std::u16string_view text = u"{\"title\":\"\u00FC \u4E2D \U0001F418\",\"data\":\"aGVsbG8=\"}";
    for (const auto& document :
         {utf16(text, true), utf16(text, false),
          std::string("\xEF\xBB\xBF{\"title\":\"ü 中 \xF0\x9F\x90\x98\",\"data\":\"aGVsbG8=\"}")}) {
        for (std::size_t piece = 1; piece < 9; ++piece) {
            const auto got = read(document, piece).value();
            BOOST_TEST(got.title == "ü 中 \xF0\x9F\x90\x98");
            BOOST_TEST(std::string(got.data.begin(), got.data.end()) == "hello");
        }
        for (std::size_t length = 0; length < document.size(); ++length)
            BOOST_TEST(read(document.substr(0, length)).has_error(), "the first " << length << " bytes");
    }
}

BOOST_AUTO_TEST_CASE(what_is_written_reads_back) {
    image_record record;
    record.key = "k.svg";
    record.title = "T\n\"";
    record.file_name = "f.svg";
    record.public_key = std::string(32, 'p');
    record.original.media_type = "image/svg+xml";
    const std::string content("\0\1\2\xff some bytes", 15);
    const auto text = write_resource_export(record, "/api/images/tenant/k.svg", bytes::own(content));
    BOOST_TEST(boost::json::parse(text).at("link").as_string() == "/api/images/tenant/k.svg");
    const auto got = read(text, 7).value();
    BOOST_TEST(got.title == record.title);
    BOOST_TEST(got.resource_key == record.key);
    BOOST_TEST((got.is_public == false));
    BOOST_TEST(std::string(got.data.begin(), got.data.end()) == content);
}

BOOST_AUTO_TEST_SUITE_END()
