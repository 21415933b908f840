// SPDX-License-Identifier: Apache-2.0
#include "boost_test.hpp"

#include "config/changes.hpp"
#include "config/load.hpp"

#include <array>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

using namespace gallery::config;

namespace {

std::string page_of_operations() {
    std::ifstream file(std::string(std::getenv("GALLERY_SOURCE")) + "/etc/doc/operations.md");
    BOOST_REQUIRE(file.is_open());
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

document defaults_of_page() {
    std::string problems;
    return parse_document(
               default_document(), "gallery.yml", [](const std::string&) { return std::nullopt; }, problems)
        .value();
}

/// The names in `code` of a text.
std::set<std::string> names_in(std::string_view text) {
    std::set<std::string> names;
    for (auto open = text.find('`'); open != text.npos; open = text.find('`', open)) {
        const auto close = text.find('`', open + 1);
        names.emplace(text.substr(open + 1, close - open - 1));
        open = close + 1;
    }
    return names;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(operations_page)

/// etc/doc/operations.md lists every variable with its default, and no other, in rows
/// "| `NAME` | `default` | what it is |"; an empty default is an empty cell.
BOOST_AUTO_TEST_CASE(lists_exactly_the_variables_of_the_configuration_with_their_defaults) {
    const std::string page = page_of_operations();
    const auto defaults = defaults_of_page();
    std::set<std::string> rows;
    for (const auto& [path, value] : defaults) {
        const std::string& name = value.names.at(0);
        const std::string row =
            "| `" + name + "` | " + (value.text.empty() ? "" : "`" + value.text + "` ") + "|";
        BOOST_TEST(page.find(row) != std::string::npos, "operations.md lacks the row: " << row);
        rows.insert(name);
    }
    std::istringstream lines(page);
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("| `")) continue;
        const std::string name = line.substr(3, line.find('`', 3) - 3);
        if (name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != std::string::npos) continue;
        BOOST_TEST(rows.contains(name),
                   "operations.md has a row for a variable that does not exist: " << name);
    }
}

/// And in a row for each time at which a change is used, "| at once | `A`, `B` |", the variables of the
/// settings for which config/bindings.cpp states that time. Options of storage plugins, of which only the
/// plugins know it, are in one of two rows; test/api/test_reload.py compares those.
BOOST_AUTO_TEST_CASE(says_of_each_variable_when_a_reload_uses_a_change) {
    const std::string page = page_of_operations();
    const auto defaults = defaults_of_page();
    std::set<std::string> of_plugins;
    for (const auto& [path, value] : defaults) {
        if (path.starts_with("storage.") && path.find('.', 8) != path.npos)
            of_plugins.insert(value.names.at(0));
    }
    std::size_t found = 0;
    for (const auto when : {takes_effect::at_restart, takes_effect::at_once, takes_effect::next_request,
                            takes_effect::next_connection, takes_effect::next_image}) {
        std::set<std::string> expected;
        for (const auto& one : bindings()) {
            if (one.when == when) expected.insert(defaults.at(one.path).names.at(0));
        }
        const auto begin = page.find("\n| " + std::string(to_string(when)) + " | `");
        BOOST_TEST_REQUIRE(begin != page.npos, "operations.md lacks the row \"" << to_string(when) << "\"");
        auto listed = names_in(page.substr(begin, page.find('\n', begin + 1) - begin));
        found += listed.size();
        const bool may_have_options = when == takes_effect::at_restart || when == takes_effect::at_once;
        if (may_have_options)
            std::erase_if(listed, [&](const auto& name) { return of_plugins.contains(name); });
        BOOST_TEST(listed == expected, boost::test_tools::per_element());
    }
    BOOST_TEST(found == defaults.size());
}

BOOST_AUTO_TEST_SUITE_END()
