// SPDX-License-Identifier: Apache-2.0
// Of another version of the storage contract.
#include "refused.hpp"

namespace {

constexpr auto descriptor = [] {
    auto made = gallery::bad::refused_as("wrong_contract_version");
    ++made.contract_version;
    return made;
}();

}  // namespace

GALLERY_STORAGE_PLUGIN(descriptor)
