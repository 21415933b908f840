// SPDX-License-Identifier: Apache-2.0
/// Finds, checks, loads and opens storage plugins.
///
/// A plugin is code that runs inside the server, so nothing of it is called before its file, the folder that
/// it lies in and its descriptor have been checked, and nothing is served from a store before it has been
/// probed. Each refusal says what was expected and what was found.
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

/// A plugin whose code is in the process, for good: plugins are never unloaded.
struct loaded_plugin {
    const plugin_descriptor* descriptor = nullptr;
    std::string file;  ///< absolute, symbolic links resolved
};

/// Whether a descriptor is one of this build. Only what lies at fixed places is read until all of it is known
/// to match. @p file is named in errors. Error: unavailable.
result<void> check_descriptor(const plugin_descriptor* descriptor, const std::string& file);

/// @p plugin is a name, looked for as @p folder/name.so, or an absolute path. An empty folder is
/// default_plugin_folder(). Errors: invalid_argument for a malformed name, not_found (with the plugins that
/// are there), permission_denied for a file or folder that somebody else could write, unavailable for what
/// cannot be loaded or does not match this build.
result<loaded_plugin> load_plugin(const std::string& plugin, const std::string& folder);

/// lib/gallery/plugins beside the folder of the running executable.
std::string default_plugin_folder();

/// Names of the plugins in a folder, sorted; empty where it cannot be read.
std::vector<std::string> plugins_in(const std::string& folder);

/// Opens the store of a loaded plugin. @p context.options are completed first (options.hpp). What the plugin
/// logs and the message of its error are passed on without the values of secret options. Errors: those of the
/// plugin, with its name in front, internal for a plugin that throws; an exception that would end the process
/// says which plugin it was before it does.
result<std::unique_ptr<storage_engine>> open_store(const loaded_plugin& plugin, plugin_context context);

}  // namespace gallery::plugins
