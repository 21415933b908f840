// SPDX-License-Identifier: Apache-2.0
// The help, the manual page and the completion are those of gallery-admin, made from other tables.
#include "load/commands.hpp"

#include "admin/arguments.hpp"
#include "admin/help.hpp"
#include "admin/manual.hpp"

#include "boost_test.hpp"

#include <array>
#include <sstream>
#include <string>
#include <string_view>

namespace gallery::load {

namespace {

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(commands_of_the_generator)

BOOST_AUTO_TEST_CASE(help_manual_and_completion_have_all_commands_and_options) {
    const auto& of = load_program();
    const auto general = admin::general_help(of);
    const auto page = admin::manual(of);
    const auto script = admin::completion(of);
    for (const auto* one : of.commands()) {
        const auto help = admin::command_help(*one, of);
        BOOST_TEST(has(general, "  " + std::string(one->words)), one->words);
        BOOST_TEST(has(script, "    '" + std::string(one->words) + "' | '"), one->words);
        BOOST_TEST(has(page, ".SS \""), one->words);
        BOOST_TEST(has(help, "usage: gallery-load " + std::string(one->words)), help);
        BOOST_TEST(one->example.find("gallery-load " + std::string(one->words)) != std::string_view::npos,
                   one->words);
        for (const auto& option : one->options) {
            BOOST_TEST(has(help, option.name), option.name);
            BOOST_TEST(has(script, option.name), option.name);
        }
        std::istringstream lines(help);
        for (std::string line; std::getline(lines, line);)
            BOOST_TEST(line.size() <= 100U, line);
        BOOST_TEST(!has(help, "gallery-admin"), help);
    }
    BOOST_TEST(!has(general, "gallery-admin"), general);
    BOOST_TEST(has(general, "options of all commands:"), general);
    BOOST_TEST(has(page, "All commands have these options."));
    BOOST_TEST(has(script, "-F _gallery_load gallery-load"));
    BOOST_TEST(!has(script, "gallery-admin"));
}

BOOST_AUTO_TEST_CASE(a_wrong_option_refers_to_the_help_of_this_program) {
    const auto& of = load_program();
    const std::array<std::string_view, 2> given{"browse", "--rat=5"};
    const auto parsed = admin::parse_arguments(*of.commands().front(), given, of);
    BOOST_TEST_REQUIRE(!parsed.has_value());
    BOOST_TEST(has(parsed.error().message, "did you mean --rate?"));
    BOOST_TEST(has(parsed.error().message, "gallery-load run --help"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::load
