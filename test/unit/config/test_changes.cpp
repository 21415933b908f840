// SPDX-License-Identifier: Apache-2.0
// What a reload finds changed, what of it is used, and that no secret is shown.
#include "boost_test.hpp"

#include "config/changes.hpp"

#include <map>
#include <string>

using namespace gallery::config;

namespace {

environment environment_with(std::map<std::string, std::string> values) {
    return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
        const auto found = values.find(name);
        return found == values.end() ? std::nullopt : std::optional(found->second);
    };
}

configuration loaded(std::string_view yaml, std::map<std::string, std::string> env = {}) {
    return load_text(yaml, "my.yml", environment_with(std::move(env))).value();
}

/// Of a plugin "rocksdb" with a secret option and one that can be changed.
option_rule rule_of(const std::string& path) {
    if (!path.starts_with("storage.rocksdb.")) return {};
    return {.is_used = true,
            .is_secret = path == "storage.rocksdb.password",
            .is_changeable = path == "storage.rocksdb.cache_bytes"};
}

std::string text_of(const std::vector<change>& all) {
    std::string text;
    for (const auto& one : all)
        text += one.path + "[" + one.from + "->" + one.to + "]";
    return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(changes)

BOOST_AUTO_TEST_CASE(equal_files_differ_in_nothing) {
    const auto found =
        compare(loaded("logging: {level: debug}"), loaded("logging: {level: debug}\n"), rule_of);
    BOOST_TEST(text_of(found.changed) == "");
    BOOST_TEST(text_of(found.needs_restart) == "");
    BOOST_TEST(found.overridden.empty());
}

BOOST_AUTO_TEST_CASE(each_setting_says_whether_a_change_is_used_and_only_then_is_it) {
    const auto before = loaded("");
    const auto after = loaded(
        "logging: {level: debug}\nserver: {port: 9090, max_connections: 7}\nimage: {workers: 3}\n"
        "metrics: {port: 9400}\n");
    const auto found = compare(before, after, rule_of);
    BOOST_TEST(text_of(found.changed) ==
               "image.workers[0->3]logging.level[info->debug]server.max_connections[0->7]");
    BOOST_TEST(text_of(found.needs_restart) == "metrics.port[0->9400]server.port[8080->9090]");
    const auto& next = found.next.values;
    BOOST_TEST(next.image.workers == 3U);
    BOOST_TEST((next.logging.level == gallery::log_level::debug));
    BOOST_TEST(next.server.max_connections == 7U);
    BOOST_TEST(next.server.port == 8080);
    BOOST_TEST(next.metrics.port == 0);
}

BOOST_AUTO_TEST_CASE(what_waits_for_a_restart_is_found_again_and_what_is_used_is_not) {
    const auto after = loaded("logging: {level: debug}\nserver: {port: 9090}\n");
    const auto first = compare(loaded(""), after, rule_of);
    const auto second = compare(first.next, after, rule_of);
    BOOST_TEST(text_of(second.changed) == "");
    BOOST_TEST(text_of(second.needs_restart) == "server.port[8080->9090]");
    const auto third = compare(second.next, loaded(""), rule_of);
    BOOST_TEST(text_of(third.changed) == "logging.level[debug->info]");
    BOOST_TEST(text_of(third.needs_restart) == "");
}

BOOST_AUTO_TEST_CASE(secrets_are_masked_whether_they_are_set_or_removed) {
    const auto none = loaded("");
    const auto one = loaded("server: {ssl: {key_password: sesame}}\nsecurity: {sysadmin_password: sesame}\n");
    const auto other =
        loaded("server: {ssl: {key_password: simsim}}\nsecurity: {sysadmin_password: simsim}\n");
    BOOST_TEST(text_of(compare(none, one, rule_of).changed) == "server.ssl.key_password[->********]");
    BOOST_TEST(text_of(compare(one, other, rule_of).changed) ==
               "server.ssl.key_password[********->********]");
    BOOST_TEST(text_of(compare(one, none, rule_of).needs_restart) ==
               "security.sysadmin_password[********->]");
    BOOST_TEST(compare(one, other, rule_of).next.values.server.ssl.key_password == "simsim");
    for (const auto& value : compare(one, other, rule_of).next.effective)
        BOOST_TEST(value.text.find("sim") == std::string::npos, value.path);
}

BOOST_AUTO_TEST_CASE(paths_are_marked) {
    const auto found = compare(loaded(""), loaded("server: {ssl: {cert_file: /a/b.pem}}"), rule_of);
    BOOST_TEST_REQUIRE(found.changed.size() == 1U);
    BOOST_TEST(found.changed[0].is_path);
}

BOOST_AUTO_TEST_CASE(options_of_the_open_plugin_follow_its_schema_and_others_are_ignored) {
    const auto before = loaded("storage: {rocksdb: {cache_bytes: 1M, writers: 4, password: a}}");
    const auto after =
        loaded("storage: {rocksdb: {cache_bytes: 2M, writers: 5, password: b}, filesystem: {threads: 3}}");
    const auto found = compare(before, after, rule_of);
    BOOST_TEST(text_of(found.changed) == "storage.rocksdb.cache_bytes[1M->2M]");
    BOOST_TEST(text_of(found.needs_restart) ==
               "storage.rocksdb.password[********->********]storage.rocksdb.writers[4->5]");
    BOOST_TEST(found.options_changed);
    const auto& section = found.next.values.storage.sections.at("rocksdb");
    BOOST_TEST(section.at("cache_bytes") == "2M");
    BOOST_TEST(section.at("writers") == "4");
    BOOST_TEST(section.at("password") == "a");
    BOOST_TEST(!compare(found.next, after, rule_of).options_changed);

    const auto removed = compare(before, loaded("storage: {rocksdb: {password: a, writers: 4}}"), rule_of);
    BOOST_TEST(text_of(removed.changed) == "storage.rocksdb.cache_bytes[1M->256M]");
}

BOOST_AUTO_TEST_CASE(an_edit_that_the_environment_overrides_is_reported_once) {
    const std::map<std::string, std::string> env{{"LOG_LEVEL", "info"}};
    const auto before = loaded("logging: {level: \"${LOG_LEVEL:info}\"}", env);
    const auto after = loaded("logging: {level: \"${LOG_LEVEL:debug}\"}", env);
    const auto found = compare(before, after, rule_of);
    BOOST_TEST(text_of(found.changed) == "");
    BOOST_TEST_REQUIRE(found.overridden.size() == 1U);
    BOOST_TEST(found.overridden[0].path == "logging.level");
    BOOST_TEST(found.overridden[0].variables == "LOG_LEVEL");
    BOOST_TEST(found.overridden[0].place == "my.yml:1");
    BOOST_TEST(compare(found.next, after, rule_of).overridden.empty());
    // Without the variable in the file the file decides.
    const auto plain = compare(before, loaded("logging: {level: debug}", env), rule_of);
    BOOST_TEST(text_of(plain.changed) == "logging.level[info->debug]");
    BOOST_TEST(plain.overridden.empty());
}

BOOST_AUTO_TEST_CASE(every_binding_can_be_compared_and_set_again) {
    const auto defaults = loaded("");
    for (const auto& one : bindings()) {
        BOOST_TEST(defaults.plain.contains(one.path), one.path);
        settings copy = defaults.values;
        BOOST_TEST(one.set(copy, defaults.plain.at(one.path).text), one.path);
    }
}

BOOST_AUTO_TEST_SUITE_END()
