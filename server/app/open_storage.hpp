/// From the settings to a store that passed its probe.
#pragma once

#include "app/change_follower.hpp"
#include "config/settings.hpp"
#include "storage/measured_store.hpp"

#include <gallery/error.hpp>

#include <memory>
#include <string>

namespace gallery::app {

struct opened_storage {
    std::unique_ptr<storage::measured_store> store;
    std::shared_ptr<change_signal> changes;  ///< notified by the store
    std::string description;                 ///< plugin, version and folder, for people
};

/// Loads the plugin, makes its folder, opens the store and probes it. @p data_folder is absolute and exists.
/// Errors: those of the plugin host, the folder, the plugin and the probe.
result<opened_storage> open_storage(const config::storage_settings& settings, const std::string& data_folder);

}  // namespace gallery::app
