// SPDX-License-Identifier: Apache-2.0
// contract_suite --plugin <path of the .so> [--config key=value]... [--volatile] [--seed n] [--kills n]
//                [--verbose] [--limit seconds] [--second-folder] [--damage-command command]
//                [options of Boost.Test]
//
// Holds any storage plugin to include/gallery/storage.hpp. --volatile leaves out what needs a store that
// outlives its process; the plugin named "memory" is known to be one. The folder for the stores is made
// below TMPDIR; "{store}" in the value of a --config is replaced by a name of its own for each store.
// --second-folder opens stores in two folders at once, which only a plugin with shared stores allows.
// --damage-command is run as `command FOLDER STORE TEXT` to change a byte behind each occurrence of TEXT in
// what the store has stored, or to change it back, and prints how many it changed; without it the files in
// the folder are changed. --limit is how long one call may take (60). --help and --list_content need no
// plugin. Exit codes: 2 the plugin cannot be tested, 3 it did not answer in time, else those of Boost.Test.
#define BOOST_TEST_NO_MAIN
#include "boost_test.hpp"
#include "crash_writer.hpp"
#include "plugin_under_test.hpp"

#include <chrono>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <random>
#include <string>
#include <vector>

namespace {

bool no_more_setup() {
    const auto* descriptor = gallery::contract::under_test().descriptor;
    boost::unit_test::framework::master_test_suite().p_name.value =
        descriptor == nullptr ? "contract of a storage plugin"
                              : std::string("contract of ") + descriptor->name;
    return true;
}

/// Asks Boost.Test for something that it tells without running a test.
bool only_asks(const std::string& option) {
    for (const auto* question : {"--help", "-?", "--list_content", "--list_labels", "--version"})
        if (option.rfind(question, 0) == 0) return true;
    return false;
}

int refuse(const std::string& why) {
    std::cerr << "contract_suite: " << why << '\n';
    return 2;
}

}  // namespace

int main(int argc, char** argv) {
    auto& plugin = gallery::contract::under_test();
    plugin.seed = std::random_device{}();
    std::vector<char*> rest{argv[0]};
    bool is_volatile = false;
    bool needs_plugin = true;
    std::string writes_into;
    std::uint64_t first_step = 0;
    for (int i = 1; i < argc; ++i) {
        const std::string option = argv[i];
        const bool has_value = i + 1 < argc;
        if (option == "--plugin" && has_value) {
            plugin.path = argv[++i];
        } else if (option == "--config" && has_value) {
            const std::string text = argv[++i];
            const auto equals = text.find('=');
            if (equals == std::string::npos) return refuse("--config takes key=value, not \"" + text + "\".");
            plugin.options[text.substr(0, equals)] = text.substr(equals + 1);
        } else if (option == "--seed" && has_value) {
            plugin.seed = std::stoull(argv[++i]);
        } else if (option == "--kills" && has_value) {
            plugin.kills = static_cast<unsigned>(std::stoul(argv[++i]));
        } else if (option == "--limit" && has_value) {
            plugin.limit = std::chrono::seconds(std::stoul(argv[++i]));
        } else if (option == "--writer" && i + 2 < argc) {  // the test of crashes starts itself so
            writes_into = argv[++i];
            first_step = std::stoull(argv[++i]);
        } else if (option == "--volatile") {
            is_volatile = true;
        } else if (option == "--second-folder") {
            plugin.second_folder = true;
        } else if (option == "--damage-command" && has_value) {
            plugin.damage_command = argv[++i];
        } else if (option == "--verbose") {
            plugin.verbose = true;
        } else {
            needs_plugin = needs_plugin && !only_asks(option);
            rest.push_back(argv[i]);
        }
    }
    // What was said is not to be lost where a plugin ends the process.
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    std::cout << std::unitbuf;
    if (!needs_plugin) {
        rest.push_back(nullptr);
        return boost::unit_test::unit_test_main(&no_more_setup, static_cast<int>(rest.size()) - 1,
                                                rest.data());
    }
    if (plugin.path.empty()) return refuse("name the plugin to test: --plugin /path/to/plugin.so");
    if (const auto wrong = gallery::contract::load_plugin(); !wrong.empty()) return refuse(wrong);
    if (plugin.second_folder && !plugin.descriptor->shared)
        return refuse("--second-folder is for plugins whose descriptor says `shared`; this one does not.");
    if (!writes_into.empty()) return gallery::contract::write_until_killed(writes_into, first_step);
    plugin.durable = !is_volatile && std::strcmp(plugin.descriptor->name, "memory") != 0;
    std::cout << "plugin " << plugin.descriptor->name << ' ' << plugin.descriptor->version << ", seed "
              << plugin.seed << std::endl;
    rest.push_back(nullptr);
    return boost::unit_test::unit_test_main(&no_more_setup, static_cast<int>(rest.size()) - 1, rest.data());
}
