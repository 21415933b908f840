// SPDX-License-Identifier: Apache-2.0
// Has no ABI tag.
#include "refused.hpp"

namespace {

constexpr auto descriptor = [] {
    auto made = gallery::bad::refused_as("null_abi_tag");
    made.abi_tag = nullptr;
    return made;
}();

}  // namespace

GALLERY_STORAGE_PLUGIN(descriptor)
