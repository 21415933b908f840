// SPDX-License-Identifier: Apache-2.0
/// Opens the configured store and probes it.
#pragma once

#include "app/change_follower.hpp"
#include "config/settings.hpp"
#include "plugins/measured_engine.hpp"
#include "plugins/probe.hpp"

#include <gallery/error.hpp>
#include <gallery/plugin.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gallery::app {

struct opened_storage {
    std::unique_ptr<plugins::measured_engine> store;
    std::shared_ptr<change_signal> changes;  ///< notified by the store
    std::string description;                 ///< plugin, version and folder, for people
    std::string engine;                      ///< the name of its plugin
    std::string folder;                      ///< absolute
    std::string name;                        ///< store_name()
    bool shared = false;                     ///< several servers may have the store open
    const plugin_descriptor* plugin = nullptr;
    revision found = 0;  ///< the newest one before this server wrote anything
};

/// A store that was not probed and so not written to, for a look from outside. A store that several servers
/// may share can be looked at while they run; it is opened with a folder of its own, which is removed with
/// it.
struct unprobed_store {
    std::shared_ptr<const void> folder_of_its_own;  ///< null for a store that one process owns
    std::unique_ptr<plugins::measured_engine> store;
    std::string plugin;  ///< its file
    std::string engine;  ///< its name
    const plugin_descriptor* descriptor = nullptr;
    std::string folder;       ///< of the data, absolute
    std::string name;         ///< store_name()
    std::string description;  ///< plugin, version and folder, for people
    std::string note;         ///< what was done to the folder; may be empty
    bool shared = false;      ///< several processes may have the store open
};

/// Names a store, the same at each opening: the engine with its folder, or, if several processes may open it,
/// with its options except the secret ones.
std::string store_name(const plugin_descriptor& plugin, const std::map<std::string, std::string>& options,
                       const std::string& folder);

/// Refuses a folder that is not empty and contains no store of @p engine, as far as its files can be
/// recognised. An engine would add its files to foreign ones. Error: invalid_argument.
result<void> check_store_folder(std::string_view engine, const std::string& folder);

/// As open_storage() without the probe. Error, besides: not_found where there is no store yet and
/// !may_create. @p say receives the messages of the engine; it may be called by any thread for as long as the
/// store is open. @p confined: for a store that the operator has not configured; invalid_argument for an
/// engine that does not confine itself.
result<unprobed_store> open_unprobed(const config::storage_settings& settings, const std::string& data_folder,
                                     bool may_create, log_function say,
                                     std::optional<confinement> confined = std::nullopt);

/// Loads the plugin, makes its folder, opens the store and probes it. @p data_folder is absolute and exists.
/// @p may_write is asked before the first write to the store. Errors: those of the plugin host, the folder,
/// the plugin and the probe.
result<opened_storage> open_storage(const config::storage_settings& settings, const std::string& data_folder,
                                    plugins::probe_permission may_write);

}  // namespace gallery::app
