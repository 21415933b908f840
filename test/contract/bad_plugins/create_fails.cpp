// SPDX-License-Identifier: Apache-2.0
// Cannot be opened, and says why.
#include <gallery/plugin.hpp>

namespace {

gallery::result<std::unique_ptr<gallery::storage_engine>> create(
    const gallery::plugin_context& context) noexcept {
    return gallery::error{gallery::errc::unavailable,
                          "The store in " + context.path + " is locked by another process (a test says so)."};
}

constexpr gallery::plugin_descriptor descriptor = {
    GALLERY_PLUGIN_HEADER, "create_fails", "1", "{}", false, &create};

}  // namespace

GALLERY_STORAGE_PLUGIN(descriptor)
