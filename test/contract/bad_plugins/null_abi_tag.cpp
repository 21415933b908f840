// SPDX-License-Identifier: Apache-2.0
// Has no ABI tag.
#include "refused.hpp"

namespace {

constexpr gallery::plugin_descriptor descriptor = {{'G', 'A', 'L', 'L', 'E', 'R', 'Y', 'S'},
                                                   sizeof(gallery::plugin_descriptor),
                                                   gallery::plugin_contract_version,
                                                   nullptr,
                                                   "null_abi_tag",
                                                   "1",
                                                   "{}",
                                                   false,
                                                   &gallery::bad::must_not_be_called};

}  // namespace

GALLERY_STORAGE_PLUGIN(descriptor)
