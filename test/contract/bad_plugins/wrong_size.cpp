// SPDX-License-Identifier: Apache-2.0
// Of a gallery whose descriptor had fewer members.
#include "refused.hpp"

namespace {

constexpr auto descriptor = [] {
    auto made = gallery::bad::refused_as("wrong_size");
    made.size -= 8;
    return made;
}();

}  // namespace

GALLERY_STORAGE_PLUGIN(descriptor)
