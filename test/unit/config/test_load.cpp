// SPDX-License-Identifier: Apache-2.0
#include "boost_test.hpp"

#include "config/bindings.hpp"
#include "config/load.hpp"

#include <cstdlib>
#include <fstream>
#include <map>
#include <set>

using namespace gallery::config;
using gallery::errc;

namespace {

environment with(std::map<std::string, std::string> values) {
    return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
        const auto found = values.find(name);
        return found == values.end() ? std::nullopt : std::optional(found->second);
    };
}

std::string refusal(std::string_view yaml, std::map<std::string, std::string> env = {}) {
    const auto loaded = load_text(yaml, "my.yml", with(std::move(env)));
    BOOST_REQUIRE(loaded.has_error());
    BOOST_TEST((loaded.error().code == errc::invalid_argument));
    return loaded.error().message;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

document built_in() {
    std::string problems;
    auto defaults = parse_document(default_document(), "gallery.yml", with({}), problems);
    BOOST_TEST_REQUIRE(problems.empty(), problems);
    return std::move(defaults).value();
}

const effective_value& effective(const configuration& c, const std::string& path) {
    for (const auto& e : c.effective) {
        if (e.path == path) return e;
    }
    BOOST_FAIL("no effective value " + path);
    std::abort();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(loading)

BOOST_AUTO_TEST_CASE(the_built_in_defaults_are_what_the_contract_says) {
    const auto s = load_text("", "empty", with({})).value().values;
    BOOST_TEST(s.server.port == 8080);
    BOOST_TEST(s.server.io_threads == 0U);
    BOOST_TEST(!s.server.ssl.enabled);
    BOOST_TEST(s.storage.plugin == "rocksdb");
    BOOST_TEST((s.security.token_expiration_time == std::chrono::seconds(9000)));
    BOOST_TEST((s.security.refresh_token_expiration_time == std::chrono::seconds(604800)));
    BOOST_TEST(s.security.token_issuer == "thingsboard.io");
    BOOST_TEST(s.security.sysadmin_email == "sysadmin@gallery.local");
    BOOST_TEST((s.cache.etag_time_to_live == std::chrono::minutes(44640)));
    BOOST_TEST(s.cache.etag_max_size == 0U);
    BOOST_TEST(s.image.max_pixels == 200'000'000U);
    BOOST_TEST(s.image.max_total_pixels == 1'000'000'000U);
    BOOST_TEST(s.image.max_frames == 5'000U);
    BOOST_TEST(s.image.max_queued == 128U);
    BOOST_TEST(s.image.max_resource_size == 0U);
    BOOST_TEST(s.metrics.port == 0);
    BOOST_TEST(s.transport.max_payload_size.limit("/api/image").value() == 52428800U);
}

BOOST_AUTO_TEST_CASE(every_key_has_a_default_and_every_default_a_key) {
    const auto defaults = built_in();
    std::set<std::string> bound;
    for (const auto& b : bindings()) {
        BOOST_TEST(defaults.contains(b.path), b.path);
        BOOST_TEST(bound.insert(b.path).second, b.path << " is bound twice");
    }
    for (const auto& [path, value] : defaults) {
        BOOST_TEST(value.names.size() == 1U, path << " names one environment variable");
        BOOST_TEST((bound.contains(path) || path.starts_with("storage.")), path);
    }
}

BOOST_AUTO_TEST_CASE(no_variable_is_named_twice) {
    const auto defaults = built_in();
    std::set<std::string> names;
    for (const auto& [path, value] : defaults) {
        for (const auto& name : value.names)
            BOOST_TEST(names.insert(name).second, name);
    }
}

BOOST_AUTO_TEST_CASE(every_default_is_preceded_by_a_comment) {
    std::ifstream file(std::string(std::getenv("GALLERY_SOURCE")) + "/etc/gallery.yml");
    std::string previous;
    std::string line;
    int number = 0;
    while (std::getline(file, line)) {
        ++number;
        if (contains(line, "\"${")) {
            const auto text = previous.find_first_not_of(' ');
            BOOST_TEST((text != std::string::npos && previous[text] == '#'), "gallery.yml:" << number);
        }
        previous = line;
    }
    BOOST_TEST(number > 50);
}

BOOST_AUTO_TEST_CASE(the_environment_wins_over_the_files_default_and_the_file_over_the_built_in_one) {
    const char* yaml = "server:\n  port: \"${HTTP_BIND_PORT:7070}\"\n  address: 127.0.0.1\n";
    BOOST_TEST(load_text(yaml, "my.yml", with({})).value().values.server.port == 7070);
    const auto both =
        load_text(yaml, "my.yml", with({{"HTTP_BIND_PORT", "9090"}, {"LOG_LEVEL", "debug"}})).value();
    BOOST_TEST(both.values.server.port == 9090);
    BOOST_TEST(both.values.server.address == "127.0.0.1");
    BOOST_TEST((both.values.logging.level == gallery::log_level::debug));
    BOOST_TEST(effective(both, "server.port").from == "environment HTTP_BIND_PORT");
    BOOST_TEST(effective(both, "server.address").from == "my.yml:3");
    BOOST_TEST(effective(both, "server.io_threads").from == "default");
}

BOOST_AUTO_TEST_CASE(a_malformed_value_is_refused_with_file_line_key_expectation_and_finding) {
    const auto text = refusal("server:\n  # comment\n  port: 80a\n");
    BOOST_TEST(text == "my.yml:3: server.port: expected a whole number between 0 and 65535, found \"80a\"");
}

BOOST_AUTO_TEST_CASE(a_malformed_variable_is_named) {
    const auto text = refusal("", {{"HTTP_BIND_PORT", "http"}});
    BOOST_TEST(contains(text,
                        "server.port: expected a whole number between 0 and 65535, found \"http\" (from the "
                        "environment variable HTTP_BIND_PORT)"));
}

BOOST_AUTO_TEST_CASE(an_unknown_key_is_refused_with_the_one_that_was_meant) {
    BOOST_TEST(refusal("server:\n  prot: 80\n") ==
               "my.yml:2: server.prot: expected a key of etc/gallery.yml, found an unknown one; did you mean "
               "server.port?");
    BOOST_TEST(contains(refusal("ssl:\n  cert_file: x\n"), "did you mean server.ssl.cert_file?"));
    BOOST_TEST(contains(refusal("nonsense: 1\n"), "my.yml:1: nonsense:"));
}

BOOST_AUTO_TEST_CASE(all_problems_are_said_at_once) {
    const auto text = refusal("server:\n  port: x\n  io_threads: -1\nlogging:\n  level: loud\nunknown: 1\n");
    BOOST_TEST(contains(text, "my.yml:2: server.port"));
    BOOST_TEST(contains(text, "my.yml:3: server.io_threads"));
    BOOST_TEST(
        contains(text, "my.yml:5: logging.level: expected debug, info, warning or error, found \"loud\""));
    BOOST_TEST(contains(text, "my.yml:6: unknown"));
}

BOOST_AUTO_TEST_CASE(a_key_that_is_there_twice_is_refused) {
    BOOST_TEST(contains(refusal("server:\n  port: 1\n  port: 2\n"), "first at my.yml:2"));
}

BOOST_AUTO_TEST_CASE(what_is_not_yaml_or_not_a_map_is_refused_with_its_line) {
    BOOST_TEST(contains(refusal("server:\n\tport: 1\n"), "my.yml:2: this is not YAML"));
    BOOST_TEST(contains(refusal("server: [1, 2]\n"), "found a list"));
    BOOST_TEST(contains(refusal("just text\n"), "my.yml:1"));
    BOOST_TEST(
        contains(refusal("server:\n  address: \"${A\"\n"), "my.yml:2: server.address: expected a closing }"));
}

BOOST_AUTO_TEST_CASE(sections_of_plugins_are_free_maps) {
    const auto s = load_text("storage:\n  mine:\n    size: \"${MINE_SIZE:12}\"\n    deep:\n      er: x\n",
                             "my.yml", with({{"MINE_SIZE", "13"}}))
                       .value()
                       .values;
    BOOST_TEST(s.storage.sections.at("mine").at("size") == "13");
    BOOST_TEST(s.storage.sections.at("mine").at("deep.er") == "x");
}

BOOST_AUTO_TEST_CASE(an_option_directly_under_storage_is_an_unknown_key) {
    BOOST_TEST(contains(refusal("storage:\n  plugn: x\n"), "did you mean storage.plugin?"));
}

BOOST_AUTO_TEST_CASE(secrets_are_never_shown) {
    const std::string key = "not base64 but secret";
    const auto text = refusal("", {{"JWT_TOKEN_SIGNING_KEY", key}, {"GALLERY_DEMO_PASSWORD", "short"}});
    BOOST_TEST(!contains(text, key));
    BOOST_TEST(!contains(text, "\"short\""));
    BOOST_TEST(contains(
        text, "security.jwt.token_signing_key: expected base64 of at least 64 bytes, or an empty value"));
    const auto good = load_text("", "my.yml", with({{"GALLERY_SYSADMIN_PASSWORD", "correct horse"}})).value();
    BOOST_TEST(effective(good, "security.sysadmin_password").text == "********");
    BOOST_TEST(good.values.security.sysadmin_password == "correct horse");
    BOOST_TEST(effective(good, "security.demo_password").text.empty());
}

BOOST_AUTO_TEST_CASE(options_of_plugins_are_masked_whatever_their_names_are) {
    const auto c = load_text("storage:\n  mine:\n    volume: loud\n    access_key: k\n    password: p\n",
                             "my.yml", with({{"STORAGE_ROCKSDB_WRITERS", "7"}}))
                       .value();
    for (const auto* option : {"storage.mine.volume", "storage.mine.access_key", "storage.mine.password",
                               "storage.rocksdb.writers"})
        BOOST_TEST(effective(c, option).text == "********", option);
    // What this repository publishes is no secret.
    BOOST_TEST(effective(c, "storage.rocksdb.readers").text == "8");
    BOOST_TEST(c.values.storage.sections.at("mine").at("access_key") == "k");
}

BOOST_AUTO_TEST_CASE(a_configuration_with_problems_has_the_defaults_in_their_place) {
    const auto checked = check_text(
                             "server:\n  port: x\n  io_threads: [1]\n  address: \"${A\"\nstorage:\n"
                             "  mine: {size: 1}\n",
                             "my.yml", with({{"HTTP_HEADER_TIMEOUT", "soon"}}))
                             .value();
    for (const auto* problem : {"my.yml:2: server.port", "my.yml:3: server.io_threads",
                                "my.yml:4: server.address", "server.timeouts.header"})
        BOOST_TEST(contains(checked.problems, problem), checked.problems);
    BOOST_TEST(checked.content.values.server.port == 8080);
    BOOST_TEST(checked.content.values.server.address == "0.0.0.0");
    BOOST_TEST((checked.content.values.server.timeouts.header == std::chrono::seconds(15)));
    BOOST_TEST(checked.content.values.storage.sections.at("mine").at("size") == "1");
}

BOOST_AUTO_TEST_CASE(the_signing_key_is_decoded) {
    const std::string encoded = std::string(84, 'A') + "AA==";
    const auto s = load_text("", "my.yml", with({{"JWT_TOKEN_SIGNING_KEY", encoded}})).value().values;
    BOOST_TEST(s.security.token_signing_key == std::string(64, '\0'));
}

BOOST_AUTO_TEST_CASE(contradictions_between_keys_are_refused) {
    BOOST_TEST(contains(refusal("", {{"SSL_ENABLED", "true"}, {"SSL_PEM_CERT", ""}}), "SSL_PEM_CERT"));
    BOOST_TEST(contains(refusal("", {{"METRICS_BIND_PORT", "8080"}, {"HTTP_BIND_ADDRESS", "127.0.0.1"}}),
                        "metrics.port"));
}

BOOST_AUTO_TEST_CASE(all_addresses_and_one_of_them_cannot_share_a_port) {
    const auto of = [](const char* server, const char* metrics) {
        return std::map<std::string, std::string>{
            {"HTTP_BIND_ADDRESS", server}, {"METRICS_BIND_ADDRESS", metrics}, {"METRICS_BIND_PORT", "8080"}};
    };
    for (const auto& [server, metrics] :
         {std::pair("0.0.0.0", "127.0.0.1"), std::pair("127.0.0.1", "0.0.0.0"), std::pair("::", "127.0.0.1"),
          std::pair("::1", "::"), std::pair("::", "0.0.0.0"), std::pair("::1", "0:0:0:0:0:0:0:1")}) {
        BOOST_TEST(contains(refusal("", of(server, metrics)), "METRICS_BIND_PORT"), server << ' ' << metrics);
    }
    for (const auto& [server, metrics] : {std::pair("127.0.0.1", "127.0.0.2"), std::pair("0.0.0.0", "::1")}) {
        BOOST_TEST(load_text("", "my.yml", with(of(server, metrics))).has_value(), server << ' ' << metrics);
    }
}

BOOST_AUTO_TEST_CASE(an_alias_without_an_end_is_refused) {
    BOOST_TEST(contains(refusal("x: &a {y: *a}\n"), "my.yml:1"));
    BOOST_TEST(contains(refusal("x: &a\n  y: *a\n"), "does an alias refer to a section that contains it?"));
    std::string many = "a0: &a0 {k: v}\n";
    for (int i = 1; i < 12; ++i) {
        const auto before = "*a" + std::to_string(i - 1);
        const auto name = "a" + std::to_string(i);
        many += name + ": &" + name + " {";
        for (int k = 0; k < 10; ++k)
            many += "k" + std::to_string(k) + ": " + before + ", ";
        many += "}\n";
    }
    BOOST_TEST(contains(refusal(many), "keys, including those of aliases"));
    const auto twice = load_text("storage:\n  one: &o {a: \"1\"}\n  two: *o\n", "my.yml", with({})).value();
    BOOST_TEST(twice.values.storage.sections.at("two").at("a") == "1");
}

BOOST_AUTO_TEST_CASE(a_second_document_is_refused) {
    BOOST_TEST(contains(refusal("server:\n  port: 1\n---\nserver:\n  port: 2\n"), "expected one document"));
    BOOST_TEST(load_text("---\nserver:\n  port: 1\n---\n", "my.yml", with({})).value().values.server.port ==
               1);
}

BOOST_AUTO_TEST_CASE(a_file_that_is_not_there_is_named) {
    const auto missing = check_file("/nowhere/at/all.yml", with({}));
    BOOST_REQUIRE(missing.has_error());
    BOOST_TEST((missing.error().code == errc::not_found));
    BOOST_TEST(contains(missing.error().message, "/nowhere/at/all.yml"));
}

BOOST_AUTO_TEST_SUITE_END()
