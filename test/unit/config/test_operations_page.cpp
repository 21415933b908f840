// SPDX-License-Identifier: Apache-2.0
#include "boost_test.hpp"

#include "config/load.hpp"

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

using namespace gallery::config;

BOOST_AUTO_TEST_SUITE(operations_page)

/// etc/doc/operations.md lists every variable with its default, and no other, in rows
/// "| `NAME` | `default` | what it is |"; an empty default is an empty cell.
BOOST_AUTO_TEST_CASE(lists_exactly_the_variables_of_the_configuration_with_their_defaults) {
    std::ifstream file(std::string(std::getenv("GALLERY_SOURCE")) + "/etc/doc/operations.md");
    BOOST_REQUIRE(file.is_open());
    std::ostringstream text;
    text << file.rdbuf();
    const std::string page = text.str();

    std::string problems;
    const auto defaults =
        parse_document(
            default_document(), "gallery.yml", [](const std::string&) { return std::nullopt; }, problems)
            .value();
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

BOOST_AUTO_TEST_SUITE_END()
