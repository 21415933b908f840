// SPDX-License-Identifier: Apache-2.0
// The manual page and the completion contain every command and option of the tables.
#include "admin/manual.hpp"

#include "admin/commands.hpp"
#include "admin/help.hpp"

#include "boost_test.hpp"

namespace gallery::admin {

namespace {

bool contains(const std::string& text, std::string_view part) {
    std::string escaped;
    for (const char c : part)
        escaped += c == '-' ? "\\-" : c == '\'' ? "\\(aq" : std::string(1, c);
    return text.find(escaped) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(manuals)

BOOST_AUTO_TEST_CASE(the_manual_describes_every_command_and_every_option) {
    const auto page = manual();
    for (const auto* one : all_commands()) {
        BOOST_TEST(contains(page, ".SS \"" + term_of(*one)), one->words);
        for (const auto& option : one->options)
            BOOST_TEST(contains(page, "\\fB" + term_of(option) + "\\fR"), option.name);
    }
    for (const auto& option : common_options)
        BOOST_TEST(contains(page, option.help), option.name);
    BOOST_TEST(contains(
        page, "All commands except verify, copy, restore, reinstate and reset-sysadmin have these options."));
    BOOST_TEST(contains(page, "GALLERY_API_KEY"));
}

BOOST_AUTO_TEST_CASE(the_completion_knows_every_command_and_every_option) {
    const auto script = completion();
    for (const auto* one : all_commands()) {
        // The second word of a command without a verb may be an operand.
        const std::string words(one->words);
        const auto pattern = verb_of(*one).empty() ? words + "' | '" + words + " '*" : words + "'";
        const auto branch = script.find("    '" + pattern + ") words='");
        BOOST_REQUIRE(branch != std::string::npos);
        const auto line = script.substr(branch, script.find(";;", branch) - branch);
        for (const auto& option : one->options)
            BOOST_TEST(line.find(option.name) != std::string::npos, one->words << ' ' << option.name);
        BOOST_TEST(line.find("--help") != std::string::npos, one->words);
    }
}

BOOST_AUTO_TEST_CASE(a_command_without_a_server_has_its_own_options_and_exit_codes_only) {
    const auto text = command_help("verify");
    BOOST_TEST(text.find("usage: gallery-admin verify") == 0U);
    BOOST_TEST(text.find("--quiet") != std::string::npos);
    BOOST_TEST(text.find("the store is sound") != std::string::npos);
    BOOST_TEST(text.find("--url") == std::string::npos);
    BOOST_TEST(text.find("GALLERY_API_KEY") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::admin
