// SPDX-License-Identifier: Apache-2.0
/// The file that contains which store a server serves from, after a switch.
///
/// The file decides: its replacement is the moment at which another store becomes the one of the server. It
/// contains the store before, too, so that an interrupted switch can be completed, and read as to where the
/// data was. Without the file, the configuration names the store.
#pragma once

#include "mirror/state_file.hpp"

#include <gallery/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gallery::mirror {

/// The name of the file in the data folder.
inline constexpr const char* active_store_file = "active-store.json";

/// A store that was opened.
struct known_store {
    target_address address;
    std::string plugin;    ///< its name, also if the engine is the path of a plugin
    std::string identity;  ///< see identity.hpp

    /// As in the mark of a copy.
    [[nodiscard]] std::string name() const { return plugin + ":" + address.path; }

    friend bool operator==(const known_store&, const known_store&) = default;
};

struct active_store {
    known_store now;
    known_store before;
    std::int64_t since = 0;  ///< of the switch, milliseconds since 1970-01-01T00:00Z

    friend bool operator==(const active_store&, const active_store&) = default;
};

// Paths below the folder of the file are stored relative to it, so that a data folder can be moved.

/// Blocks. Errors: those of write_private_file().
result<void> write_active_store(const std::string& path, const active_store& value);
/// Empty if there is no file. Blocks. Errors: io_error, corrupt.
result<std::optional<active_store>> read_active_store(const std::string& path);

}  // namespace gallery::mirror
