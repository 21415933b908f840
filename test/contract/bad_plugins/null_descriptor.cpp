// SPDX-License-Identifier: Apache-2.0
// Has the entry point, which returns nothing.
#include <gallery/plugin.hpp>

extern "C" GALLERY_PLUGIN_API const gallery::plugin_descriptor* gallery_storage_plugin() noexcept {
    return nullptr;
}
