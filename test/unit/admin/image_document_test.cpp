// SPDX-License-Identifier: Apache-2.0
// What describes an image in files, in exports and in lists.
#include "admin/image_document.hpp"

#include "boost_test.hpp"

#include <boost/json/parse.hpp>

#include <string>

namespace gallery::admin {

namespace {

namespace json = boost::json;

outcome<image_document> read(const std::string& text) {
    return read_document(json::parse(text).get_object());
}

image_document whole() {
    image_document out;
    out.key = "pump.svg";
    out.title = "A \"pump\" ü";
    out.file_name = "Pump 1.svg";
    out.sub_type = "SCADA_SYMBOL";
    out.media_type = "image/svg+xml";
    out.etag = std::string(64, 'a');
    out.public_key = std::string(32, 'k');
    out.is_public = false;
    out.tags = {"hall 3", "pump"};
    out.created_time = 1'700'000'000'123;
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(image_documents)

BOOST_AUTO_TEST_CASE(the_file_beside_a_picture_has_one_member_a_line_in_a_fixed_order) {
    BOOST_TEST(sidecar_text(whole()) ==
               "{\n"
               "  \"type\": \"IMAGE\",\n"
               "  \"subType\": \"SCADA_SYMBOL\",\n"
               "  \"resourceKey\": \"pump.svg\",\n"
               "  \"title\": \"A \\\"pump\\\" ü\",\n"
               "  \"fileName\": \"Pump 1.svg\",\n"
               "  \"mediaType\": \"image/svg+xml\",\n"
               "  \"etag\": \"" +
                   std::string(64, 'a') +
                   "\",\n"
                   "  \"public\": false,\n"
                   "  \"publicResourceKey\": \"" +
                   std::string(32, 'k') +
                   "\",\n"
                   "  \"tags\": [\n"
                   "    \"hall 3\",\n"
                   "    \"pump\"\n"
                   "  ],\n"
                   "  \"createdTime\": 1700000000123\n"
                   "}\n");
    auto without = whole();
    without.tags.emplace();
    BOOST_TEST(sidecar_text(without).find("\"tags\": [],\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_written_is_read_again) {
    const auto before = whole();
    const auto after = read(sidecar_text(before));
    BOOST_TEST_REQUIRE(after.has_value());
    BOOST_TEST(differences(before, *after).empty());
    BOOST_TEST(fixed_differences(before, *after).empty());
    BOOST_TEST(sidecar_text(*after) == sidecar_text(before));
    const auto sent = json::parse(import_text(before, "AAAA")).get_object();
    BOOST_TEST(sent.at("data").get_string() == "AAAA");
    const auto imported = read_document(sent);
    BOOST_TEST_REQUIRE(imported.has_value());
    auto expected = before;
    expected.etag.clear();  // the server makes it
    BOOST_TEST(sidecar_text(*imported) == sidecar_text(expected));
}

BOOST_AUTO_TEST_CASE(answers_of_thingsboards_versions_are_read) {
    const auto info = read(
        R"({"id":{"entityType":"TB_RESOURCE","id":"x"},"createdTime":5,"title":"T","resourceType":"IMAGE",)"
        R"("resourceKey":"k.png","searchText":"t","etag":"e","fileName":"f.png","public":true,)"
        R"("publicResourceKey":"p","externalId":null,"descriptor":{"mediaType":"image/png","width":1}})");
    BOOST_TEST_REQUIRE(info.has_value());
    BOOST_TEST(info->key == "k.png");
    BOOST_TEST(info->media_type == "image/png");
    BOOST_TEST(info->sub_type.empty());
    BOOST_TEST(info->created_time == 5);
    BOOST_TEST((info->is_public == true));
    BOOST_TEST(!info->tags.has_value());
    BOOST_TEST(read(R"({"resourceSubType":"SCADA_SYMBOL"})")->sub_type == "SCADA_SYMBOL");
    BOOST_TEST(read(R"({"subType":"SCADA_SYMBOL","type":"IMAGE","title":null})")->sub_type == "SCADA_SYMBOL");
}

BOOST_AUTO_TEST_CASE(members_of_another_kind_are_refused_by_their_name) {
    const std::pair<const char*, const char*> cases[] = {
        {R"({"title":1})", "title"},
        {R"({"public":"yes"})", "public"},
        {R"({"tags":"a"})", "tags"},
        {R"({"tags":[1]})", "tags"},
        {R"({"createdTime":"1"})", "createdTime"},
        {R"({"createdTime":0})", "createdTime"},
        {R"({"type":"JS_MODULE"})", "type"},
        {R"({"resourceKey":[]})", "resourceKey"},
    };
    for (const std::string name : {"resourceKey", "title", "etag"}) {
        const auto of = [&name](std::size_t size) {
            return read(R"({")" + name + R"(":")" + std::string(size, 'x') + R"("})");
        };
        BOOST_TEST(of(1024).has_value());
        BOOST_TEST_REQUIRE(of(1025).has_error());
        BOOST_TEST(of(1025).error().message.find(name) != std::string::npos);
    }
    for (const auto& [text, name] : cases) {
        const auto got = read(text);
        BOOST_TEST_REQUIRE(got.has_error(), text);
        BOOST_TEST(got.error().message.find(name) != std::string::npos, got.error().message);
    }
}

BOOST_AUTO_TEST_CASE(differences_are_those_that_an_import_changes) {
    const auto wanted = whole();
    auto present = whole();
    present.etag = "b";
    present.title = "t";
    present.file_name = "f";
    present.sub_type = "IMAGE";
    present.is_public = true;
    present.tags = {"pump"};
    present.media_type = "image/png";
    const std::vector<std::string> all{"picture", "title", "fileName", "subType", "public", "tags"};
    BOOST_TEST(differences(wanted, present) == all);
    BOOST_TEST(fixed_differences(wanted, present).empty());
    present = whole();
    present.public_key = "other";
    present.created_time = 1;
    const std::vector<std::string> fixed{"publicResourceKey", "createdTime"};
    BOOST_TEST(differences(wanted, present).empty());
    BOOST_TEST(fixed_differences(wanted, present) == fixed);
    // What is not stated is not compared.
    BOOST_TEST(differences(image_document(), present).empty());
    BOOST_TEST(fixed_differences(image_document(), present).empty());
    // An answer has no tags where there are none.
    auto untagged = whole();
    untagged.tags.emplace();
    present.tags.reset();
    BOOST_TEST(differences(untagged, present).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::admin
