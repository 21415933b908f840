// SPDX-License-Identifier: Apache-2.0
/// Finds, checks, loads and opens storage plugins.
///
/// A plugin is code that runs inside the server. Nothing of it is called before its file, its folder and its
/// descriptor have been checked, and nothing is served from a store before it was probed. Each refusal
/// contains the expected and the actual value.
///
/// Threads: everything here blocks and is called at the start, from one thread.
#pragma once

#include <gallery/error.hpp>
#include <gallery/plugin.hpp>
#include <gallery/storage.hpp>

#include <memory>
#include <string>
#include <vector>

namespace gallery::plugins {

/// A plugin that was loaded into the process. Plugins are never unloaded.
struct loaded_plugin {
    const plugin_descriptor* descriptor = nullptr;
    std::string file;  ///< absolute, symbolic links resolved
};

/// Whether a descriptor belongs to this build. Only members at fixed offsets are read until all of them
/// match. @p file is named in errors. Error: unavailable.
result<void> check_descriptor(const plugin_descriptor* descriptor, const std::string& file);

/// @p plugin is a name, found as @p folder/name.so, or an absolute path. An empty folder is
/// default_plugin_folder(). Errors: invalid_argument for a malformed name, not_found (with the existing
/// plugins), permission_denied for a file or folder that other users could change, unavailable for a plugin
/// that cannot be loaded or does not match this build.
result<loaded_plugin> load_plugin(const std::string& plugin, const std::string& folder);

/// lib/gallery/plugins next to the folder of the running executable.
std::string default_plugin_folder();

/// Names of the plugins in a folder, sorted; empty if it cannot be read.
std::vector<std::string> plugins_in(const std::string& folder);

/// Opens the store of a loaded plugin. @p context.options are completed first (options.hpp). The values of
/// secret options are removed from the plugin's log messages and its error. Errors: those of the plugin,
/// preceded by its name, and internal for a plugin that throws. An exception that ends the process is
/// reported with the plugin's name before.
result<std::unique_ptr<storage_engine>> open_store(const loaded_plugin& plugin, plugin_context context);

}  // namespace gallery::plugins
