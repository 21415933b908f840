// SPDX-License-Identifier: Apache-2.0
// Claims to have opened a store and returns none.
#include <gallery/plugin.hpp>

namespace {

gallery::result<std::unique_ptr<gallery::storage_engine>> create(const gallery::plugin_context&) noexcept {
    return std::unique_ptr<gallery::storage_engine>();
}

constexpr gallery::plugin_descriptor descriptor = {
    GALLERY_PLUGIN_HEADER, "create_returns_null", "1", "{}", false, &create};

}  // namespace

GALLERY_STORAGE_PLUGIN(descriptor)
