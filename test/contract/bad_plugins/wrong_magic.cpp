// SPDX-License-Identifier: Apache-2.0
// Begins with other bytes than a plugin of this gallery.
#include "refused.hpp"

namespace {

constexpr auto descriptor = [] {
    auto made = gallery::bad::refused_as("wrong_magic");
    made.magic[1] = 'O';
    return made;
}();

}  // namespace

GALLERY_STORAGE_PLUGIN(descriptor)
