// SPDX-License-Identifier: Apache-2.0
// Never comes back from opening its store.
#include <gallery/plugin.hpp>

#include <unistd.h>

namespace {

gallery::result<std::unique_ptr<gallery::storage_engine>> create(
    const gallery::plugin_context& /*context*/) noexcept {
    for (;;)
        ::pause();
}

constexpr gallery::plugin_descriptor descriptor = {
    GALLERY_PLUGIN_HEADER, "hangs_in_create", "1", "{}", false, &create};

}  // namespace

GALLERY_STORAGE_PLUGIN(descriptor)
