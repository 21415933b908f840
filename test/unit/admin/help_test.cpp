// SPDX-License-Identifier: Apache-2.0
// The tables of commands and what help makes of them.
#include "admin/help.hpp"

#include "admin/commands.hpp"

#include "boost_test.hpp"

#include <algorithm>
#include <set>
#include <sstream>
#include <string>

namespace gallery::admin {

namespace {

void check_width(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        BOOST_TEST(line.size() <= 100U, line);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(help)

BOOST_AUTO_TEST_CASE(general_help_lists_every_command) {
    const auto text = general_help();
    for (const auto* one : all_commands())
        BOOST_TEST(text.find("  " + std::string(one->words)) != std::string::npos, one->words);
    check_width(text);
}

BOOST_AUTO_TEST_CASE(each_commands_help_is_complete) {
    for (const auto* one : all_commands()) {
        if (one->run == nullptr) continue;
        const auto text = command_help(*one);
        check_width(text);
        for (const auto& option : one->options)
            BOOST_TEST(text.find("  " + std::string(option.name)) != std::string::npos, option.name);
        for (const auto& option : common_options)
            BOOST_TEST(text.find("  " + std::string(option.name)) != std::string::npos, option.name);
        BOOST_TEST(text.find("exit codes:") != std::string::npos);
        BOOST_TEST(text.find("GALLERY_API_KEY") != std::string::npos);
        BOOST_TEST(one->example.find("gallery-admin " + std::string(one->words)) != std::string_view::npos,
                   one->words << " lacks an example");
    }
}

BOOST_AUTO_TEST_CASE(no_two_commands_and_no_two_options_of_one_have_the_same_name) {
    std::set<std::string_view> words;
    for (const auto* one : all_commands()) {
        BOOST_TEST(words.insert(one->words).second, one->words);
        std::set<std::string_view> options;
        if (one->alone == nullptr) {
            for (const auto& option : common_options)
                options.insert(option.name);
        }
        for (const auto& option : one->options) {
            BOOST_TEST(options.insert(option.name).second, one->words << ' ' << option.name);
            BOOST_TEST(option.name.starts_with("--"));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_groups_help_lists_its_commands_and_no_others) {
    const auto text = group_help("tenant");
    BOOST_TEST(text.find("tenant delete TENANT") != std::string::npos);
    BOOST_TEST(text.find("user create") == std::string::npos);
    check_width(text);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::admin
