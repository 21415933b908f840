// SPDX-License-Identifier: Apache-2.0
/// A store that is named on the command line: PLUGIN:PATH with options.
#pragma once

#include "admin/failure.hpp"
#include "app/open_storage.hpp"
#include "config/settings.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::admin {

struct store_address {
    std::string plugin;                          ///< a name, or the absolute path of a plugin
    std::string path;                            ///< may be empty for an engine whose options name the store
    std::map<std::string, std::string> options;  ///< over those of the configuration

    [[nodiscard]] std::string text() const { return plugin + ":" + path; }
};

/// Each of @p options is "NAME=VALUE", or "NAME@FILE" for a value that is the content of a file, without the
/// newline at its end. Failure: usage.
outcome<std::map<std::string, std::string>> parse_store_options(const std::vector<std::string>& options);

/// @p text is "PLUGIN:PATH"; @p options as parse_store_options(). Failure: usage.
outcome<store_address> parse_store_address(std::string_view text, const std::vector<std::string>& options);

/// Opens a store that exists. Failures: as open_closed_store(); configuration for a folder without a store.
outcome<app::unprobed_store> open_source(const store_address& address, config::storage_settings defaults);

/// Opens a store or creates it in a new or empty folder. Failures: as open_closed_store(); refused for a
/// folder with other contents.
outcome<app::unprobed_store> open_target(const store_address& address, config::storage_settings defaults);

/// Opens the store of the configuration or creates it, as the server does. Failures: as open_target().
outcome<app::unprobed_store> open_configured(const config::storage_settings& settings,
                                             const std::string& data_folder);

}  // namespace gallery::admin
