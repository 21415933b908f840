// SPDX-License-Identifier: Apache-2.0
// Operands, options, and what was probably meant.
#include "admin/arguments.hpp"

#include "admin/commands.hpp"
#include "admin/suggest.hpp"

#include "boost_test.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace gallery::admin {

namespace {

const command& named(std::string_view words) {
    for (const auto* one : all_commands()) {
        if (one->words == words) return *one;
    }
    throw std::logic_error("no such command");
}

outcome<arguments> parse(std::string_view words, const std::vector<std::string_view>& given) {
    return parse_arguments(named(words), given);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(arguments_of_commands)

BOOST_AUTO_TEST_CASE(some_commands_take_any_number_of_words_and_some_options_repeat) {
    const auto got =
        parse("images tag", {"a.png", "--add", "x", "b.png", "--remove=z", "--add=y", "--clear"});
    BOOST_TEST_REQUIRE(got.has_value());
    const std::vector<std::string> keys{"a.png", "b.png"};
    const std::vector<std::string> added{"x", "y"};
    const std::vector<std::string> removed{"z"};
    BOOST_TEST(got->operands == keys);
    BOOST_TEST(got->values("--add") == added);
    BOOST_TEST(got->values("--remove") == removed);
    BOOST_TEST(parse("images tag", {"a", "--clear"})->values("--add").empty());
    BOOST_TEST(got->has("--add"));
    BOOST_TEST(parse("images tag", {"--add", "x"}).has_error());
    BOOST_TEST(parse("images tag", {"a", "--clear", "--clear"}).has_error());
    BOOST_TEST(parse("images tag", {"a", "--add"}).has_error());
    BOOST_TEST(parse("images show", {"a", "b"}).has_error());
}

BOOST_AUTO_TEST_CASE(options_may_be_anywhere_and_in_both_forms) {
    const auto got =
        parse("tenant create", {"--json", "--country=Austria", "Acme", "--city", "Linz", "--zip="});
    BOOST_TEST_REQUIRE(got.has_value());
    BOOST_TEST(got->operands == std::vector<std::string>{"Acme"});
    BOOST_TEST(got->has("--json"));
    BOOST_TEST(got->value("--country").value() == "Austria");
    BOOST_TEST(got->value("--city").value() == "Linz");
    BOOST_TEST(got->value("--zip").value() == "");
    BOOST_TEST(!got->value("--state").has_value());
}

BOOST_AUTO_TEST_CASE(after_two_hyphens_everything_is_an_operand) {
    const auto got = parse("tenant create", {"--", "--json"});
    BOOST_TEST_REQUIRE(got.has_value());
    BOOST_TEST(got->operands == std::vector<std::string>{"--json"});
    BOOST_TEST(!got->has("--json"));
}

BOOST_AUTO_TEST_CASE(a_value_may_begin_with_hyphens) {
    BOOST_TEST(parse("tenant create", {"x", "--city", "--json"})->value("--city").value() == "--json");
}

BOOST_AUTO_TEST_CASE(wrong_use_is_said) {
    struct sample {
        std::vector<std::string_view> given;
        const char* word;
    };
    for (const auto& one :
         {sample{{}, "TITLE"}, sample{{"a", "b"}, "2 words"}, sample{{""}, "empty"},
          sample{{"a", "--city"}, "requires a value"}, sample{{"a", "--json=1"}, "no value"},
          sample{{"a", "--json", "--json"}, "twice"}, sample{{"a", "--ctiy", "x"}, "did you mean --city?"},
          sample{{"a", "-x"}, "'-x'"}}) {
        const auto got = parse("tenant create", one.given);
        BOOST_TEST_REQUIRE(got.has_error());
        BOOST_TEST(static_cast<int>(got.error().code) == 64);
        BOOST_TEST(got.error().message.find(one.word) != std::string::npos, got.error().message);
    }
}

BOOST_AUTO_TEST_CASE(a_password_in_an_argument_is_refused_without_repeating_it) {
    for (const auto& given : {std::vector<std::string_view>{"a@b.c", "--password=sesame"},
                              std::vector<std::string_view>{"a@b.c", "--password", "sesame"},
                              std::vector<std::string_view>{"a@b.c", "sesame"}}) {
        const auto got = parse("user create", given);
        BOOST_TEST_REQUIRE(got.has_error());
        BOOST_TEST(got.error().message.find("sesame") == std::string::npos, got.error().message);
    }
    const auto got = parse("user create", {"a@b.c", "--password=sesame"});
    BOOST_TEST(got.error().message.find("--password-stdin") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(help_is_given_whatever_else_is_wrong) {
    BOOST_TEST(parse("tenant create", {"--nonsense", "-h"})->has("--help"));
    BOOST_TEST(!parse("tenant create", {"--", "-h"})->has("--help"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(suggestions)

BOOST_AUTO_TEST_CASE(near_words_and_other_words_are_found_and_no_far_ones) {
    const std::vector<std::string_view> known{"create", "list", "show", "update", "delete"};
    BOOST_TEST(nearest("creat", known) == "create");
    BOOST_TEST(nearest("craete", known) == "create");
    BOOST_TEST(nearest("lst", known) == "list");
    BOOST_TEST(nearest("rm", known) == "delete");
    BOOST_TEST(nearest("rename", known) == "update");
    BOOST_TEST(nearest("frobnicate", known) == "");
    BOOST_TEST(nearest("", known) == "");
    BOOST_TEST(nearest(std::string(100'000, 'x'), known) == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::admin
