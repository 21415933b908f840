// SPDX-License-Identifier: Apache-2.0
// What a schema declares decides which values a plugin is given, and which are shown.
#include "plugins/options.hpp"

#include "boost_test.hpp"
#include "plugins.hpp"

namespace gallery::plugins::test {

namespace {

using values = std::map<std::string, std::string>;

plugin_descriptor with_schema(const char* schema) {
    return {GALLERY_PLUGIN_HEADER, "engine", "1", schema, false, nullptr};
}

constexpr const char* typed = R"({
  "name": {"default": "", "type": "text", "description": "any"},
  "count": {"default": "3", "type": "integer"},
  "memory": {"default": "64M", "type": "size"},
  "patience": {"default": "5s", "type": "duration"},
  "fast": {"default": "false", "type": "boolean"},
  "access_key": {"default": "", "secret": true},
  "pin": {"default": "0000", "type": "integer", "secret": true}
})";

}  // namespace

BOOST_AUTO_TEST_SUITE(options)

BOOST_AUTO_TEST_CASE(an_option_that_the_plugin_does_not_have_is_refused_with_those_that_it_has) {
    const auto engine = with_schema(R"({"depth": {"default": "3"}, "colour": {"default": ""}})");
    const auto refused = complete_options(engine, {{"dept", "4"}});
    BOOST_TEST_REQUIRE(refused.has_error());
    BOOST_TEST((refused.error().code == errc::invalid_argument));
    BOOST_TEST(refused.error().message ==
               "storage.engine.dept: the plugin engine has no such option; it has: depth, colour");

    const auto completed = complete_options(engine, {{"colour", "red"}});
    BOOST_TEST_REQUIRE(completed.has_value());
    BOOST_TEST((*completed == values{{"colour", "red"}, {"depth", "3"}}));
}

BOOST_AUTO_TEST_CASE(an_option_that_can_be_reloaded_is_declared_so) {
    const auto declared = declared_options(
        with_schema(R"({"a": {"default": "", "reload": true}, "b": {"default": "", "reload": false},
                        "c": {"default": ""}})"));
    BOOST_TEST_REQUIRE(declared.has_value());
    BOOST_TEST((*declared)[0].reload);
    BOOST_TEST(!(*declared)[1].reload);
    BOOST_TEST(!(*declared)[2].reload);
    BOOST_TEST(declared_options(with_schema(R"({"a": {"default": "", "reload": "true"}})")).has_error());
}

BOOST_AUTO_TEST_CASE(a_cache_can_be_changed_while_the_store_is_open_and_has_a_least_size) {
    const auto is_declared = [](const char* option) {
        const std::string schema = std::string(R"({"a": )") + option + "}";
        return declared_options(with_schema(schema.c_str())).has_value();
    };
    BOOST_TEST(is_declared(R"({"type": "size", "default": "1M", "min": 0, "reload": true, "cache": true})"));
    BOOST_TEST(!is_declared(R"({"type": "size", "default": "1M", "min": 0, "cache": true})"));
    BOOST_TEST(!is_declared(R"({"type": "size", "default": "1M", "reload": true, "cache": true})"));
    BOOST_TEST(
        !is_declared(R"({"type": "duration", "default": "1s", "min": 0, "reload": true, "cache": true})"));
    BOOST_TEST(!is_declared(R"({"default": "", "reload": true, "cache": "true"})"));
}

BOOST_AUTO_TEST_CASE(a_store_that_serves_nobody_gets_the_least_caches) {
    const auto engine = with_schema(
        R"({"bodies": {"type": "size", "default": "64M", "min": 4096, "reload": true, "cache": true},
            "files": {"type": "integer", "default": "512", "min": 0, "reload": true, "cache": true},
            "index": {"type": "size", "default": "16M", "min": 0, "reload": true}})");
    BOOST_TEST((with_least_caches(engine, {{"bodies", "1G"}, {"index", "2M"}}) ==
                values{{"bodies", "4096"}, {"files", "0"}, {"index", "2M"}}));
}

BOOST_AUTO_TEST_CASE(values_reach_the_plugin_in_the_form_of_their_type) {
    const auto engine = with_schema(typed);
    BOOST_TEST((*complete_options(engine, {}) == values{{"name", ""},
                                                        {"count", "3"},
                                                        {"memory", "67108864"},
                                                        {"patience", "5000"},
                                                        {"fast", "false"},
                                                        {"access_key", ""},
                                                        {"pin", "0000"}}));
    const auto given = complete_options(engine, {{"name", " as it is "},
                                                 {"count", "-12"},
                                                 {"memory", "2GB"},
                                                 {"patience", "250ms"},
                                                 {"fast", "true"}});
    BOOST_TEST_REQUIRE(given.has_value());
    BOOST_TEST(given->at("name") == " as it is ");
    BOOST_TEST(given->at("count") == "-12");
    BOOST_TEST(given->at("memory") == "2000000000");
    BOOST_TEST(given->at("patience") == "250");
    BOOST_TEST(given->at("fast") == "true");
    // A variable that is set to nothing.
    BOOST_TEST(complete_options(engine, {{"memory", ""}})->at("memory") == "67108864");
}

BOOST_AUTO_TEST_CASE(all_wrong_values_are_named_at_once_and_no_secret_is_repeated) {
    const auto refused = complete_options(with_schema(typed), {{"count", "many"},
                                                               {"memory", "64 MiB"},
                                                               {"patience", "5"},
                                                               {"fast", "yes"},
                                                               {"pin", "s3cret"},
                                                               {"acess_key", "hunter2"}});
    BOOST_TEST_REQUIRE(refused.has_error());
    BOOST_TEST((refused.error().code == errc::invalid_argument));
    const auto& said = refused.error().message;
    for (const auto* words : {"storage.engine.count: expected a whole number, found \"many\"",
                              "storage.engine.memory: expected a size", "found \"64 MiB\"",
                              "storage.engine.patience: expected a duration", "found \"5\"",
                              "storage.engine.fast: expected true or false, found \"yes\"",
                              "storage.engine.pin: expected a whole number, found another value",
                              "storage.engine.acess_key: the plugin engine has no such option"})
        BOOST_TEST(contains(said, words), said);
    for (const auto* secret : {"s3cret", "hunter2"})
        BOOST_TEST(!contains(said, secret), said);
}

BOOST_AUTO_TEST_CASE(limits_and_choices_are_judged_with_both_ends_included) {
    const auto engine = with_schema(R"({
      "count": {"default": "3", "type": "integer", "min": -1, "max": 256},
      "memory": {"default": "64M", "type": "size", "min": 1048576},
      "mode": {"default": "auto", "type": "choice", "values": ["auto", "never"]}
    })");
    for (const auto* count : {"-1", "0", "256"})
        BOOST_TEST(complete_options(engine, {{"count", count}})->at("count") == count);
    BOOST_TEST(complete_options(engine, {{"memory", "1M"}})->at("memory") == "1048576");
    BOOST_TEST(complete_options(engine, {{"mode", "never"}})->at("mode") == "never");
    for (const auto& [option, value, words] :
         {std::tuple("count", "-2", "expected a whole number from -1 to 256, found \"-2\""),
          std::tuple("count", "257", "expected a whole number from -1 to 256"),
          std::tuple("count", "99999999999999999999", "expected a whole number from -1 to 256"),
          std::tuple("memory", "1048575", " from 1048576 bytes, found \"1048575\""),
          std::tuple("mode", "Auto", "expected one of auto, never, found \"Auto\"")}) {
        const auto refused = complete_options(engine, {{option, value}});
        BOOST_TEST_REQUIRE(refused.has_error());
        BOOST_TEST((refused.error().code == errc::invalid_argument));
        BOOST_TEST(contains(refused.error().message, words), refused.error().message);
    }
}

BOOST_AUTO_TEST_CASE(a_schema_that_cannot_be_read_is_refused) {
    for (const auto* schema :
         {"", "[]", "{\"a\": ", R"({"a": {"default": 3}})", R"({"a": {}})", R"({"a": "1"})",
          R"({"a": {"default": null}})", R"({"a": {"default": "", "type": "number"}})",
          R"({"a": {"default": "x", "type": "integer"}})", R"({"a": {"default": "", "secret": "true"}})",
          R"({"a": {"default": "", "type": "choice"}})", R"({"a": {"default": "x", "values": ["x"]}})",
          R"({"a": {"default": "x", "type": "choice", "values": ["y"]}})",
          R"({"a": {"default": "3", "type": "integer", "min": 4}})", R"({"a": {"default": "3", "min": 1}})",
          R"({"a": {"default": "3", "type": "integer", "min": "1"}})",
          R"({"a": {"default": "3", "type": "integer", "min": 4, "max": 2}})",
          R"({"a": {"default": "", "secrets": true}})", R"({"a": {"default": "", "description": 1}})"}) {
        const auto refused = complete_options(with_schema(schema), {});
        BOOST_TEST((refused.has_error() && refused.error().code == errc::unavailable), schema);
    }
}

BOOST_AUTO_TEST_CASE(secrets_are_masked_in_what_an_engine_says) {
    const secret_texts secrets(with_schema(typed),
                               {{"name", "public"}, {"access_key", "hunter2"}, {"pin", "hunter22"}});
    BOOST_TEST(!secrets.empty());
    BOOST_TEST(secrets.masked("public hunter2, hunter22 and xhunter2x") ==
               "public ********, ******** and x********x");
    BOOST_TEST(secret_texts(with_schema(typed), {{"name", "public"}, {"access_key", ""}}).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::plugins::test
