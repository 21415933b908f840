// SPDX-License-Identifier: Apache-2.0
// What the lines of the access log look like, whatever a client has sent, and what they leave out.
#include "app/access_line.hpp"

#include "app/loggable_target.hpp"
#include "boost_test.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

using namespace gallery;
using app::access_entry;
using config::access_log_format;

namespace {

constexpr std::int64_t sample_time = 1'796'070'983'045;  // 2026-11-30 20:36:23.045 UTC

struct sample {
    uuid user = parse_uuid("00112233-4455-6677-8899-aabbccddeeff").value();
    uuid key = parse_uuid("0a1b2c3d-0000-4000-8000-00000000000f").value();
    uuid tenant = parse_uuid("784f394c-42b6-435a-983c-b7beff2784f9").value();
    access_entry entry;

    sample() {
        entry.milliseconds = sample_time;
        entry.id = "9a3f52c07be1d846";
        entry.client = "192.0.2.7";
        entry.user = &user;
        entry.tenant = &tenant;
        entry.method = "GET";
        entry.target = "/api/images/tenant/pump.svg";
        entry.route = "image.download";
        entry.status = 200;
        entry.sent = 5321;
        entry.duration = std::chrono::nanoseconds(182'999);
        entry.cache = app::cache_outcome::hit;
        entry.user_agent = "curl/8";
    }
};

std::string line(access_log_format format, const access_entry& entry) {
    const auto writer = std::make_unique<app::access_line>(format);
    return std::string(writer->write(entry));
}
std::string combined(const access_entry& entry) {
    return line(access_log_format::combined, entry);
}
std::string json(const access_entry& entry) {
    return line(access_log_format::json, entry);
}

bool is_one_printable_line(std::string_view text) {
    if (!text.ends_with('\n')) return false;
    text.remove_suffix(1);
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

std::string target_in_log(std::string_view target, std::string_view route = "a.route") {
    std::string out;
    app::emit_target(target, app::link_in_path_of(route), [&out](std::string_view part) { out += part; });
    return out;
}

std::string referrer_in_log(std::string_view referrer) {
    std::string out;
    app::emit_referrer(referrer, [&out](std::string_view part) { out += part; });
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(access_lines)

BOOST_AUTO_TEST_CASE(a_line_of_each_format) {
    sample s;
    BOOST_TEST(combined(s.entry) ==
               "192.0.2.7 - 00112233-4455-6677-8899-aabbccddeeff [30/Nov/2026:20:36:23 +0000] "
               "\"GET /api/images/tenant/pump.svg HTTP/1.1\" 200 5321 \"-\" \"curl/8\" id=9a3f52c07be1d846 "
               "tenant=784f394c-42b6-435a-983c-b7beff2784f9 key=- time=0.000182 cache=hit sent=all\n");
    BOOST_TEST(json(s.entry) ==
               R"({"time":"2026-11-30T20:36:23.045Z","id":"9a3f52c07be1d846","client":"192.0.2.7",)"
               R"("user":"00112233-4455-6677-8899-aabbccddeeff",)"
               R"("tenant":"784f394c-42b6-435a-983c-b7beff2784f9","method":"GET",)"
               R"("target":"/api/images/tenant/pump.svg","protocol":"HTTP/1.1","route":"image.download",)"
               R"("userAgent":"curl/8","cache":"hit","status":200,"received":0,"sent":5321,)"
               R"("seconds":0.000182,"complete":true})"
               "\n");
}

BOOST_AUTO_TEST_CASE(a_line_with_everything) {
    sample s;
    s.entry.api_key = &s.key;
    s.entry.trace = "0af7651916cd43dd8448eb211c80319c";
    s.entry.version = 10;
    s.entry.received = 12;
    s.entry.duration = std::chrono::seconds(61) + std::chrono::microseconds(5);
    s.entry.cache = app::cache_outcome::miss;
    s.entry.complete = false;
    s.entry.referrer = "https://gallery.example/list";
    BOOST_TEST(
        combined(s.entry) ==
        "192.0.2.7 - 00112233-4455-6677-8899-aabbccddeeff [30/Nov/2026:20:36:23 +0000] "
        "\"GET /api/images/tenant/pump.svg HTTP/1.0\" 200 5321 \"https://gallery.example/list\" \"curl/8\" "
        "id=9a3f52c07be1d846 tenant=784f394c-42b6-435a-983c-b7beff2784f9 "
        "key=0a1b2c3d-0000-4000-8000-00000000000f time=61.000005 cache=miss sent=part\n");
    const auto object = boost::json::parse(json(s.entry)).as_object();
    BOOST_TEST(object.at("trace").as_string() == "0af7651916cd43dd8448eb211c80319c");
    BOOST_TEST(object.at("apiKey").as_string() == "0a1b2c3d-0000-4000-8000-00000000000f");
    BOOST_TEST(object.at("protocol").as_string() == "HTTP/1.0");
    BOOST_TEST(object.at("received").as_int64() == 12);
    BOOST_TEST(std::abs(object.at("seconds").as_double() - 61.000005) < 1e-9);
    BOOST_TEST(object.at("cache").as_string() == "miss");
    BOOST_TEST(!object.at("complete").as_bool());
    BOOST_TEST(object.at("referrer").as_string() == "https://gallery.example/list");
}

BOOST_AUTO_TEST_CASE(a_head_that_could_not_be_read_has_a_line_without_what_is_not_known) {
    access_entry entry;
    entry.milliseconds = sample_time;
    entry.id = "9a3f52c07be1d846";
    entry.client = "2001:db8::1";
    entry.status = 400;
    BOOST_TEST(combined(entry) ==
               "2001:db8::1 - - [30/Nov/2026:20:36:23 +0000] \"-\" 400 0 \"-\" \"-\" id=9a3f52c07be1d846 "
               "tenant=- key=- time=0.000000 cache=- sent=all\n");
    BOOST_TEST(json(entry) ==
               R"({"time":"2026-11-30T20:36:23.045Z","id":"9a3f52c07be1d846","client":"2001:db8::1",)"
               R"("status":400,"received":0,"sent":0,"seconds":0.000000,"complete":true})"
               "\n");
}

BOOST_AUTO_TEST_CASE(the_date_follows_the_clock) {
    sample s;
    app::access_line writer(access_log_format::combined);
    const std::pair<std::int64_t, std::string_view> times[] = {
        {sample_time, "[30/Nov/2026:20:36:23 +0000]"},
        {sample_time + 954, "[30/Nov/2026:20:36:23 +0000]"},
        {sample_time + 955, "[30/Nov/2026:20:36:24 +0000]"},
        {1'830'297'599'999, "[31/Dec/2027:23:59:59 +0000]"},
        {1'830'297'600'000, "[01/Jan/2028:00:00:00 +0000]"},
    };
    for (const auto& [time, expected] : times) {
        s.entry.milliseconds = time;
        const auto got = std::string(writer.write(s.entry));
        BOOST_TEST(got.find(expected) != got.npos, got);
    }
    s.entry.milliseconds = 1'830'297'600'007;
    BOOST_TEST(json(s.entry).starts_with(R"({"time":"2028-01-01T00:00:00.007Z")"));
}

BOOST_AUTO_TEST_CASE(nothing_that_a_client_sends_begins_a_line_or_ends_a_text) {
    sample s;
    s.entry.user_agent = "a\"b\\c\n\r\t\x01\x1b[31m\x7f\xC3\xA4\xFF";
    s.entry.referrer = "http://x/\" injected=\"1\n";
    s.entry.method = "G\"ET";
    s.entry.client = "fe80::1%e\nth0";
    s.entry.target = "/a\"b\\c\x80";
    const auto text = combined(s.entry);
    BOOST_TEST(is_one_printable_line(text));
    BOOST_TEST(text.find(R"("a\"b\\c\x0a\x0d\x09\x01\x1b[31m\x7f\xc3\xa4\xff" id=)") != text.npos, text);
    BOOST_TEST(text.find(R"("http://x/\" injected=\"1\x0a" ")") != text.npos, text);
    BOOST_TEST(text.find(R"("G\"ET /a\"b\\c\x80 HTTP/1.1" 200)") != text.npos, text);
    BOOST_TEST(text.starts_with(R"(fe80::1%e\x0ath0 - )"), text);
    const auto object_text = json(s.entry);
    BOOST_TEST(is_one_printable_line(object_text));
    const auto object = boost::json::parse(object_text).as_object();
    BOOST_TEST(object.at("userAgent").as_string() == "a\"b\\c\n\r\t\x01\x1b[31m\x7f\u00C3\u00A4\u00FF");
    BOOST_TEST(object.at("target").as_string() == "/a\"b\\c\u0080");
}

// Lengths around the blocks that are looked at at once, and the special character at every place.
BOOST_AUTO_TEST_CASE(every_place_of_a_text_is_escaped) {
    sample s;
    for (std::size_t size = 1; size < 70; ++size) {
        for (std::size_t at = 0; at < size; ++at) {
            for (const char special : {'"', '\\', '\n', '\x7f', '\x80', '\xff'}) {
                std::string agent(size, 'x');
                agent[at] = special;
                s.entry.user_agent = agent;
                const auto object_text = json(s.entry);
                BOOST_TEST_REQUIRE(is_one_printable_line(object_text));
                const auto object = boost::json::parse(object_text).as_object();
                std::string expected = agent;
                if (special == '\x80') expected.replace(at, 1, "\u0080");
                if (special == '\xff') expected.replace(at, 1, "\u00FF");
                BOOST_TEST_REQUIRE(std::string_view(object.at("userAgent").as_string()) == expected);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(long_texts_are_cut) {
    sample s;
    const std::string target = "/" + std::string(5000, '"');
    const std::string header(20'000, '\n');
    s.entry.target = target;
    s.entry.user_agent = header;
    s.entry.referrer = header;
    for (const auto format : {access_log_format::combined, access_log_format::json}) {
        const auto text = line(format, s.entry);
        BOOST_TEST(is_one_printable_line(text));
        BOOST_TEST(text.size() < app::longest_access_line);
        BOOST_TEST(text.find(R"(\"\"...)") != text.npos);
        BOOST_TEST(text.find("0a...\"") != text.npos);
    }
    const std::string just(app::longest_logged_header, 'x');
    s.entry.user_agent = just;
    BOOST_TEST(json(s.entry).find("\"userAgent\":\"" + just + "\"") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(values_of_queries_are_logged_only_where_they_are_known_to_be_harmless) {
    const std::pair<const char*, const char*> cases[] = {
        {"/", "/"},
        {"*", "*"},
        {"/api/images?pageSize=10&page=0&tag=a%20b", "/api/images?pageSize=10&page=0&tag=a%20b"},
        {"/api/images?textSearch=somebody@example.com&public=true", "/api/images?textSearch=*&public=true"},
        {"/api/noauth/activate?activateToken=SECRET", "/api/noauth/activate?activateToken=*"},
        {"/api/images/zipDownload?ticket=SECRET", "/api/images/zipDownload?ticket=*"},
        {"/api/images/zipDownload?page=1&ticket=SECRET=SECRET", "/api/images/zipDownload?page=1&ticket=*"},
        // Another way to write a name, a value in place of a name, names that nobody knows.
        {"/x?activate%54oken=SECRET", "/x?*"},
        {"/x?U0VDUkVU==", "/x?*"},
        {"/x?SECRET&page=2&Page=SECRET", "/x?*&page=2&*"},
        {"/x?", "/x?"},
        {"/x?&&", "/x?&&"},
        {"/x?ticket", "/x?ticket"},
        {"/x?page=1?token=2", "/x?page=1?token=2"},
        // A URL: without its host, which may have a password in front of it.
        {"http://user:SECRET@host/a?ticket=SECRET", "/a?ticket=*"},
        {"http://host", "/"},
        {"https://host?page=1", "?page=1"},
        {"user:SECRET@host:443", ""},
        {"", ""},
    };
    for (const auto& [target, expected] : cases)
        BOOST_TEST(target_in_log(target) == expected, target << " gives " << target_in_log(target));
}

BOOST_AUTO_TEST_CASE(of_the_key_of_a_public_link_the_beginning_is_logged) {
    const std::string key = "AbCdEfGhIjKlMnOpQrStUvWxYz012345";
    BOOST_TEST(target_in_log("/api/images/public/" + key, "image.public") == "/api/images/public/AbCdEfGh*");
    BOOST_TEST(target_in_log("/gallery/api/images/public/" + key + "?page=1", "image.public") ==
               "/gallery/api/images/public/AbCdEfGh*?page=1");
    // Written in another way, a method that is not there, a path that is longer.
    BOOST_TEST(target_in_log("/api/images/%70ublic/" + key, "image.public") ==
               "/api/images/%70ublic/AbCdEfGh*");
    BOOST_TEST(target_in_log("/api/images/public/" + key, "") == "/api/images/public/AbCdEfGh*");
    BOOST_TEST(target_in_log("/api/images/public/" + key + "/more", "") ==
               "/api/images/public/AbCdEfGh*/more");
    BOOST_TEST(target_in_log("/api/images/public/short", "image.public") == "/api/images/public/short");
    BOOST_TEST(target_in_log("/api/images/public/", "") == "/api/images/public/");
    // No link.
    BOOST_TEST(target_in_log("/api/images/tenant/" + key, "image.download") == "/api/images/tenant/" + key);
}

BOOST_AUTO_TEST_CASE(of_a_referrer_neither_query_nor_password_is_logged) {
    const std::pair<const char*, const char*> cases[] = {
        {"https://gallery.example/list", "https://gallery.example/list"},
        {"https://gallery.example/login/createPassword?activateToken=SECRET",
         "https://gallery.example/login/createPassword?*"},
        {"https://gallery.example/#token=SECRET", "https://gallery.example/?*"},
        {"https://user:SECRET@gallery.example/a@b", "https://gallery.example/a@b"},
        {"https://user:SECRET@gallery.example", "https://gallery.example"},
        {"https://gallery.example/@a", "https://gallery.example/@a"},
        {"https://a/api/images/public/AbCdEfGhIjKlMnOpQrStUvWxYz012345",
         "https://a/api/images/public/AbCdEfGh*"},
        {"?SECRET", "?*"},
        {"about:client", "about:client"},
        {"", ""},
    };
    for (const auto& [referrer, expected] : cases)
        BOOST_TEST(referrer_in_log(referrer) == expected, referrer << " gives " << referrer_in_log(referrer));
}

// Whoever adds a parameter decides whether its value is logged.
BOOST_AUTO_TEST_CASE(every_parameter_of_the_api_is_in_the_table) {
    std::ifstream file(std::string(std::getenv("GALLERY_SOURCE")) + "/server/api/openapi.json");
    BOOST_REQUIRE(file.is_open());
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    std::set<std::string> names;
    const auto document = boost::json::parse(text).as_object();
    for (const auto& [path, operations] : document.at("paths").as_object()) {
        for (const auto& [method, operation] : operations.as_object()) {
            if (!operation.is_object()) continue;
            const auto* const parameters = operation.as_object().if_contains("parameters");
            if (parameters == nullptr) continue;
            for (const auto& parameter : parameters->as_array()) {
                const auto& one = parameter.as_object();
                if (one.contains("in") && one.at("in").as_string() == "query")
                    names.emplace(one.at("name").as_string());
            }
        }
    }
    BOOST_TEST(names.size() > 15U);
    for (const auto& name : names)
        BOOST_TEST((app::visibility_of(name) != app::visibility::none),
                   name << " is not in loggable_target.hpp");
}

BOOST_AUTO_TEST_SUITE_END()
