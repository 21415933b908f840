// SPDX-License-Identifier: Apache-2.0
/// The file that contains which mirror a server has, so that it continues after a restart.
#pragma once

#include "mirror/status.hpp"

#include <gallery/error.hpp>

#include <cstdint>
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

struct saved_mirror {
    target_address target;
    bool is_running = false;     ///< false: stopped or failed
    bool is_backup = false;      ///< ends as soon as it is complete
    bool verifies = false;       ///< a backup is verified before it is complete
    bool skips_damaged = false;  ///< a backup is complete without items that the source cannot return
    std::string problem;         ///< why it has failed; empty otherwise
    std::optional<completion> completed;
    std::string run;             ///< as in mirror_status
    std::int64_t backup_at = 0;  ///< likewise
    /// Of a target that was the server's store before a switch: its identity. It is accepted as it is.
    std::string former_identity;

    friend bool operator==(const saved_mirror&, const saved_mirror&) = default;
};

std::string to_json(const saved_mirror& value);
/// Empty for a text that to_json() cannot have returned.
std::optional<saved_mirror> parse_saved_mirror(std::string_view text);

/// Replaces the file in one step; only its owner can read it. Blocks. Errors: those of
/// write_private_file().
result<void> write_state_file(const std::string& path, const saved_mirror& value);
/// Empty if there is no file. Blocks. Errors: io_error, corrupt.
result<std::optional<saved_mirror>> read_state_file(const std::string& path);
/// Succeeds if there is no file. Blocks. Errors: those of remove_file().
result<void> remove_state_file(const std::string& path);

}  // namespace gallery::mirror
