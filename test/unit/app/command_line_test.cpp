// SPDX-License-Identifier: Apache-2.0
// The command line of gallery-server, and what is made from the same table.
#include "app/command_line.hpp"

#include "app/manual_page.hpp"

#include "boost_test.hpp"

#include <initializer_list>
#include <vector>

namespace gallery::app {

namespace {

using action = command_line::action;

result<command_line> parse(std::initializer_list<const char*> words) {
    const std::vector<const char*> all(words);
    return parse_command_line(all);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(command_lines)

BOOST_AUTO_TEST_CASE(a_configuration_file_is_named_in_two_forms) {
    BOOST_TEST(parse({"--config", "a.yml"})->config_file == "a.yml");
    BOOST_TEST(parse({"--demo", "--config=a=b.yml"})->config_file == "a=b.yml");
    BOOST_TEST(parse({"--config=a.yml", "--check-config"})->config_file == "a.yml");
    BOOST_TEST((parse({"--config=a.yml", "--check-config"})->what == action::check_config));
    BOOST_TEST(parse({"--demo"})->demo);
    BOOST_TEST((parse({"--demo"})->what == action::serve));
}

BOOST_AUTO_TEST_CASE(what_is_not_an_option_is_refused) {
    for (const auto* word : {"--nonsense", "--demo=yes", "--help=1", "serve", "", "--conf"})
        BOOST_TEST(!parse({word}), word);
    for (const auto& words : {std::vector<const char*>{"--config"}, {"--config="}, {"--config", ""}}) {
        const auto parsed = parse_command_line(words);
        BOOST_REQUIRE(!parsed);
        BOOST_TEST(parsed.error().message.find("--config FILE") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(help_and_version_win_over_what_follows) {
    BOOST_TEST((parse({"--help", "--nonsense"})->what == action::help));
    BOOST_TEST((parse({"--demo", "-h"})->what == action::help));
    BOOST_TEST((parse({"--version"})->what == action::version));
    BOOST_TEST((parse({"--manual"})->what == action::manual));
}

BOOST_AUTO_TEST_CASE(help_manual_and_completion_have_the_same_options) {
    const auto page = manual();
    for (const std::string name : {"config", "demo", "check-config", "version", "help"}) {
        BOOST_TEST(usage().find("\n  --" + name) != std::string::npos, name);
        BOOST_TEST(completion().find("--" + name) != std::string::npos, name);
        std::string escaped;
        for (const char c : "--" + name)
            escaped += c == '-' ? "\\-" : std::string(1, c);
        BOOST_TEST(page.find(".TP\n\\fB" + escaped) != std::string::npos, name);
    }
    BOOST_TEST(usage().find("--manual") == std::string::npos);
    BOOST_TEST(completion().find("--manual") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(text_in_a_manual_page_is_no_command) {
    manual_page page("name", 1, "summary");
    page.lines(".SH \\fB\n'x' `y` ~-^\n");
    BOOST_TEST(page.text().ends_with(
        ".nf\n.RS 4\n\\&.SH \\efB\n\\&\\(aqx\\(aq \\(gay\\(ga \\(ti\\-\\(ha\n.RE\n.fi\n"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::app
