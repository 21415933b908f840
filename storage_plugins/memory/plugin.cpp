// SPDX-License-Identifier: Apache-2.0
// The reference engine as a storage plugin. It has no options.
#include "memory_store.hpp"

#include <gallery/plugin.hpp>

#include <exception>
#include <string>

namespace gallery {
namespace {

result<std::unique_ptr<storage_engine>> create(const plugin_context& context) noexcept {
    try {
        if (!context.options.empty())
            return error{errc::invalid_argument,
                         "The memory store has no option " + context.options.begin()->first + "."};
        return make_memory_engine();
    } catch (const std::exception& e) {
        return error{errc::unavailable, std::string("The memory store could not be opened: ") + e.what()};
    }
}

constexpr plugin_descriptor descriptor = {
    GALLERY_PLUGIN_HEADER, "memory", GALLERY_VERSION, "{}", false, &create, true};

}  // namespace
}  // namespace gallery

GALLERY_STORAGE_PLUGIN(gallery::descriptor)
