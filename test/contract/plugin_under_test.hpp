// SPDX-License-Identifier: Apache-2.0
/// The plugin that this run of the suite is about: which one, with which options, and how to open it.
#pragma once

#include <gallery/plugin.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace gallery::contract {

struct plugin_under_test {
    std::string path;  ///< absolute
    std::map<std::string, std::string> options;
    const plugin_descriptor* descriptor = nullptr;
    bool durable = true;
    std::uint64_t seed = 0;
    unsigned kills = 10;             ///< of a writing process, in the test of crashes
    bool verbose = false;            ///< shows what the plugin logs
    std::chrono::seconds limit{60};  ///< for one call
    bool second_folder = false;      ///< tests open each store twice, in two folders
    std::string damage_command;      ///< damages what a store has stored; empty: its files are changed
};

/// Set by main() before the first test.
plugin_under_test& under_test();

/// Loads under_test().path, checks it and its options as the server does, but for who could write the file.
/// Returns what is wrong, empty where nothing is.
std::string load_plugin();

/// What the plugin has logged since the last call. Any thread.
std::vector<std::string> take_log();

/// Opens a store of it in @p folder, as the server does: with the defaults of the options that were not
/// given. "{store}" in an option's value is replaced by @p store, or by the folder's own name, which no other
/// test has: an engine whose stores are elsewhere finds a store of its own for each test by it.
result<std::unique_ptr<storage_engine>> open_store(const std::string& folder, std::string store = {});

/// Gives the options of an open store that can be reloaded the least values of their schema, or those of the
/// opening again.
void change_options(storage_engine& opened, const std::string& folder, bool to_the_least);

}  // namespace gallery::contract
