// SPDX-License-Identifier: Apache-2.0
// A descriptor that is right but for a missing create().
#include <gallery/plugin.hpp>

namespace {

constexpr gallery::plugin_descriptor descriptor = {
    GALLERY_PLUGIN_HEADER, "null_create", "1", "{}", false, nullptr};

}  // namespace

GALLERY_STORAGE_PLUGIN(descriptor)
