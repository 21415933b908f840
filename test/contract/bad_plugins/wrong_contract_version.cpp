// SPDX-License-Identifier: Apache-2.0
// Of another version of the storage contract.
#include "refused.hpp"

namespace {

constexpr gallery::plugin_descriptor descriptor = {{'G', 'A', 'L', 'L', 'E', 'R', 'Y', 'S'},
                                                   sizeof(gallery::plugin_descriptor),
                                                   gallery::plugin_contract_version + 1,
                                                   gallery::plugin_abi_tag,
                                                   "wrong_contract_version",
                                                   "1",
                                                   "{}",
                                                   false,
                                                   &gallery::bad::must_not_be_called};

}  // namespace

GALLERY_STORAGE_PLUGIN(descriptor)
