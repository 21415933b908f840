// SPDX-License-Identifier: Apache-2.0
// Dumps of ThingsBoard's database.
#include "admin/dump_rows.hpp"

#include "boost_test.hpp"

#include <string>
#include <vector>

namespace gallery::admin {

namespace {

const std::string theirs = "5b0c7a10-0000-11ee-8000-000000000001";
const std::string begin =
    "COPY public.resource (id, created_time, tenant_id, title, resource_type, resource_sub_type, "
    "resource_key, "
    "search_text, file_name, data, etag, descriptor, preview, is_public, public_resource_key, external_id) "
    "FROM "
    "stdin;";

std::string row(const std::string& type, const std::string& title, const std::string& key,
                const std::string& data, const std::string& etag = "\\N") {
    return "784f394c-42b6-435a-983c-b7beff2784f9\t1700000000123\t" + theirs + "\t" + title + "\t" + type +
           "\tSCADA_SYMBOL\t" + key + "\t\\N\tf.svg\t" + data + "\t" + etag +
           "\t{\"mediaType\":\"image/svg+xml\"}\t\\N\tf\tpublic1\t\\N";
}

std::vector<dumped_image> read(dump_reader& reader, const std::vector<std::string>& lines) {
    std::vector<dumped_image> out;
    for (const auto& line : lines) {
        auto got = reader.next(line);
        BOOST_TEST_REQUIRE(got.has_value(), line);
        if (*got) out.push_back(std::move(**got));
    }
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(dump_rows)

BOOST_AUTO_TEST_CASE(images_are_taken_and_nothing_else) {
    dump_reader reader(theirs);
    const auto got =
        read(reader, {"--", "-- PostgreSQL database dump", "SET statement_timeout = 0;",
                      "COPY public.resource_other (id) FROM stdin;", row("IMAGE", "t", "no", "\\\\x61"),
                      "\\.", begin, row("LWM2M_MODEL", "t", "m", "\\\\x61"),
                      row("IMAGE", "A\\ttab \\\\ \\x41\\101\\n", "k.svg", "\\\\x68656C6c6f"),
                      row("JS_MODULE", "t", "j", "\\N"), "\\.", row("IMAGE", "t", "late", "\\\\x61")});
    BOOST_TEST_REQUIRE(got.size() == 1U);
    const auto& one = got[0];
    BOOST_TEST(one.tenant == "5b0c7a10-0000-11ee-8000-000000000001");
    BOOST_TEST(one.picture == "hello");
    BOOST_TEST(one.about.key == "k.svg");
    BOOST_TEST(one.about.title == "A\ttab \\ AA\n");
    BOOST_TEST(one.about.file_name == "f.svg");
    BOOST_TEST(one.about.sub_type == "SCADA_SYMBOL");
    BOOST_TEST(one.about.media_type == "image/svg+xml");
    BOOST_TEST(one.about.etag == etag_of("hello"));
    BOOST_TEST(one.about.public_key == "public1");
    BOOST_TEST((one.about.is_public == false));
    BOOST_TEST(one.about.created_time == 1'700'000'000'123);
    BOOST_TEST(reader.has_table());
    BOOST_TEST(!reader.is_in_table());
}

BOOST_AUTO_TEST_CASE(columns_are_found_by_their_names) {
    dump_reader reader("x");
    const auto got =
        read(reader, {"COPY \"tb\".\"resource\" (\"data\", etag, is_public, public_resource_key, file_name, "
                      "resource_key, resource_type, title, tenant_id, created_time) FROM stdin;",
                      "\\\\x61\t\\N\tt\tp\tf\tk\tIMAGE\tt\tx\t5"});
    BOOST_TEST_REQUIRE(got.size() == 1U);
    BOOST_TEST(got[0].about.sub_type == "IMAGE");
    BOOST_TEST(got[0].about.created_time == 5);
    BOOST_TEST(reader.is_in_table());
}

BOOST_AUTO_TEST_CASE(rows_and_tables_of_another_form_are_refused) {
    const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
        {{"COPY public.resource (id, created_time, data) FROM stdin;"}, "'tenant_id'"},
        {{begin, "a\tb"}, "2 of 16 columns"},
    };
    for (const auto& [lines, words] : cases) {
        dump_reader reader(theirs);
        for (const auto& line : lines) {
            const auto got = reader.next(line);
            if (&line != &lines.back()) continue;
            BOOST_TEST_REQUIRE(got.has_error(), words);
            BOOST_TEST(got.error().message.find(words) != std::string::npos, got.error().message);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_row_without_a_good_picture_has_a_problem_and_the_next_one_is_read) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {row("IMAGE", "t", "k", "\\N"), "no picture"},
        {row("IMAGE", "t", "k", "\\\\x"), "no picture"},
        {row("IMAGE", "t", "k", "\\\\x6"), "no picture"},
        {row("IMAGE", "t", "k", "aGVsbG8="), "no picture"},
        {row("IMAGE", "t", "k", "\\\\x61", std::string(64, '0')), "damaged"},
    };
    for (const auto& [line, words] : cases) {
        dump_reader reader(theirs);
        const auto got = read(reader, {begin, line, row("IMAGE", "t", "good", "\\\\x61")});
        BOOST_TEST_REQUIRE(got.size() == 2U);
        BOOST_TEST(got[0].about.key == "k");
        BOOST_TEST(got[0].problem.find(words) != std::string::npos, got[0].problem);
        BOOST_TEST(got[1].about.key == "good");
        BOOST_TEST(got[1].problem.empty());
    }
}

BOOST_AUTO_TEST_CASE(of_other_tenants_rows_only_the_tenant_is_read) {
    dump_reader reader("another");
    const auto got = read(reader, {begin, row("IMAGE", "t", "k", "\\N"), row("IMAGE", "t", "k", "\\\\x61")});
    BOOST_TEST_REQUIRE(got.size() == 2U);
    for (const auto& one : got) {
        BOOST_TEST(one.tenant == theirs);
        BOOST_TEST(one.problem.empty());
        BOOST_TEST(one.picture.empty());
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::admin
