// SPDX-License-Identifier: Apache-2.0
/// The file that says which mirror a server has, so that it goes on after a restart.
#pragma once

#include <gallery/error.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace gallery::mirror {

/// A store to be opened as a mirror.
struct target_address {
    std::string engine;                          ///< the name of a plugin in the plugin folder
    std::string path;                            ///< absolute; empty if the options name the store
    std::map<std::string, std::string> options;  ///< may contain secrets

    friend bool operator==(const target_address&, const target_address&) = default;
};

struct wanted_mirror {
    target_address target;
    bool is_running = false;  ///< false: it was stopped

    friend bool operator==(const wanted_mirror&, const wanted_mirror&) = default;
};

std::string to_json(const wanted_mirror& value);
/// Empty for a text that to_json() cannot have returned.
std::optional<wanted_mirror> parse_wanted_mirror(std::string_view text);

/// Replaces the file in one step; only its owner can read it. Blocks. Error: io_error.
result<void> write_state_file(const std::string& path, const wanted_mirror& value);
/// Empty if there is no file. Blocks. Errors: io_error, corrupt.
result<std::optional<wanted_mirror>> read_state_file(const std::string& path);
/// Succeeds if there is no file. Blocks. Error: io_error.
result<void> remove_state_file(const std::string& path);

}  // namespace gallery::mirror
