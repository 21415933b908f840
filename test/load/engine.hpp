// SPDX-License-Identifier: Apache-2.0
/// Opening a storage plugin, for the programs of this folder.
#pragma once

#include "must.hpp"

#include <gallery/plugin.hpp>

#include <dlfcn.h>

#include <memory>
#include <string>

namespace gallery::load {

/// The descriptor in the plugin's file; ends the process if it is not a plugin of this build.
inline const plugin_descriptor& load_plugin(const std::string& file) {
    void* library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) stop(::dlerror());
    const auto entry = reinterpret_cast<plugin_entry>(::dlsym(library, plugin_entry_name));
    if (entry == nullptr || std::string(entry()->abi_tag) != plugin_abi_tag)
        stop(file + " is not a plugin of this build");
    return *entry();
}

/// Reads pairs of `--name value`: --plugin and --folder; @p takes returns whether it knows another pair. Ends
/// the process where something is unknown or missing.
template <class Takes>
void read_options(int argc, char** argv, std::string& plugin, std::string& folder, Takes takes) {
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string name = argv[i];
        const std::string value = argv[i + 1];
        if (name == "--plugin")
            plugin = value;
        else if (name == "--folder")
            folder = value;
        else if (!takes(name, value))
            stop("unknown option " + name);
    }
    if (plugin.empty() || folder.empty()) stop("--plugin and --folder are needed");
}

/// Bytes that no layer can make smaller.
template <class Generator>
std::string noise(std::size_t size, Generator& dice) {
    std::string made(size, '\0');
    for (std::size_t i = 0; i < size; i += 8) {
        const auto word = dice();
        for (std::size_t k = 0; k < 8 && i + k < size; ++k)
            made[i + k] = static_cast<char>(word >> (8 * k));
    }
    return made;
}

}  // namespace gallery::load
