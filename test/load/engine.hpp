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

}  // namespace gallery::load
