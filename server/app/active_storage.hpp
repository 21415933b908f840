// SPDX-License-Identifier: Apache-2.0
/// Which store a server opens: that of the last switch, otherwise that of the configuration.
#pragma once

#include "config/settings.hpp"
#include "mirror/active_store.hpp"
#include "mirror/superseded.hpp"

#include <gallery/document_store.hpp>
#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <optional>
#include <string>

namespace gallery::app {

struct active_storage {
    config::storage_settings settings;            ///< of the store to open
    std::string configured_plugin;                ///< STORAGE_PLUGIN
    std::optional<mirror::active_store> decided;  ///< by the last switch; empty: by the configuration
    std::string file;                             ///< that contains the decision
    bool is_configured = true;                    ///< the configuration names the same store
    /// The configuration names a store of the same engine, which can be shared, with other options: only the
    /// store tells whether it is the same one. See ask_configured_store().
    bool is_uncertain = false;

    /// Whether there is a store where the server was switched to: a server would create a new one in an empty
    /// folder. Error: not_found.
    [[nodiscard]] result<void> require_store() const;
    /// One sentence for people; empty if the configuration decides, or names the same store.
    [[nodiscard]] std::string note() const;
};

/// Reads the file in the data folder, which is absolute. The options of a store that the configuration names,
/// too, are those of the configuration. Blocks. Errors: io_error, corrupt.
result<active_storage> find_active_storage(const config::storage_settings& configured,
                                           const std::string& data_folder);

/// If that is uncertain, opens the store that the configuration names, to learn from its identity whether it
/// is the one of the switch. If it is, the options of the configuration apply: a password that was changed in
/// both the database and the configuration must not need the file to be edited. A store that cannot be
/// opened is not the same. Nothing is written to it, except that a database in which no store is gets empty
/// tables. Blocks.
void ask_configured_store(active_storage& chosen, const config::storage_settings& configured);

/// Whether the store that was opened may be written to: the refusals of check_active_storage(). Writes
/// nothing, because the store may be the mirror of another server, which removes what is written to it.
task<result<void>> require_current_store(document_store& opened, active_storage chosen, std::string node);

/// Whether the store that was opened may be used: refuses a store that another one has taken the place of,
/// or that another server than @p node has claimed for a switch, and another store than the one that was
/// switched to. Removes what an interrupted switch of this server has left. Errors: unavailable, those of the
/// store.
task<result<void>> check_active_storage(document_store& opened, active_storage chosen, std::string node);

/// The refusal of a store with this successor, with where to go instead.
error not_current(const mirror::successor& by);

}  // namespace gallery::app
