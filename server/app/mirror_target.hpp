// SPDX-License-Identifier: Apache-2.0
/// Where the mirror of the server may be, and how it is opened.
#pragma once

#include "app/open_storage.hpp"
#include "config/settings.hpp"
#include "mirror/state_file.hpp"

#include <gallery/error.hpp>
#include <gallery/plugin.hpp>
#include <gallery/storage_engine.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::app {

/// The file in the data folder that contains which mirror the server has.
inline constexpr const char* mirror_file = "mirror.json";

/// What the check depends on.
struct mirror_rules {
    std::string allowed_paths;  ///< as in config::mirror_settings
    std::string data_folder;    ///< absolute
    std::string active_folder;  ///< of the server's own store, absolute; empty if it is a database
};

/// Makes the path absolute (a relative one is below the data folder) and resolves symbolic links. An account
/// of the gallery must not be a way to write anywhere as the server's user, or to load code. Therefore
/// engines are selected by name; folders must be below an allowed one, in a folder that exists, and apart
/// from the server's own store. Errors: invalid_argument, permission_denied.
result<mirror::target_address> check_mirror_target(const mirror_rules& rules, mirror::target_address target);

/// @p hosts as in config::mirror_settings.
confinement mirror_confinement(std::string_view hosts);

/// The folder in the data folder that contains the folders of mirrors in databases.
inline constexpr const char* mirror_folders = "mirror-databases";

/// Removes the folders of mirrors except those of @p kept. Blocks. Error: io_error.
result<void> clean_mirror_folders(const std::string& data_folder,
                                  const std::vector<mirror::target_address>& kept);

/// Opens the store, or creates it if @p may_create. If several servers can share it, what the engine needs on
/// this machine (certificates) is in a folder of its own below @p data_folder, because the store can become
/// the one of the server: a temporary folder may be cleaned. Blocks. The engine gets only the options of @p
/// target: those of the configuration belong to the server's own store and may be secret. @p confined as for
/// open_unprobed(). Errors: not_found for a folder without a store, invalid_argument, those of
/// open_unprobed().
result<std::unique_ptr<storage_engine>> open_mirror_target(
    const std::string& plugin_dir, const std::string& data_folder, const mirror::target_address& target,
    bool may_create, std::optional<confinement> confined, log_function say);

}  // namespace gallery::app
