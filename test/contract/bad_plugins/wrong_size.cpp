// SPDX-License-Identifier: Apache-2.0
// Of a gallery whose descriptor had fewer members.
#include "refused.hpp"

namespace {

constexpr gallery::plugin_descriptor descriptor = {{'G', 'A', 'L', 'L', 'E', 'R', 'Y', 'S'},
                                                   sizeof(gallery::plugin_descriptor) - 8,
                                                   gallery::plugin_contract_version,
                                                   gallery::plugin_abi_tag,
                                                   "wrong_size",
                                                   "1",
                                                   "{}",
                                                   false,
                                                   &gallery::bad::must_not_be_called};

}  // namespace

GALLERY_STORAGE_PLUGIN(descriptor)
