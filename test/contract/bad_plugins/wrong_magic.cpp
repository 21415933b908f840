// SPDX-License-Identifier: Apache-2.0
// Begins with other bytes than a plugin of this gallery.
#include "refused.hpp"

namespace {

constexpr gallery::plugin_descriptor descriptor = {{'N', 'O', 'G', 'A', 'L', 'L', 'E', 'R'},
                                                   sizeof(gallery::plugin_descriptor),
                                                   gallery::plugin_contract_version,
                                                   gallery::plugin_abi_tag,
                                                   "wrong_magic",
                                                   "1",
                                                   "{}",
                                                   false,
                                                   &gallery::bad::must_not_be_called};

}  // namespace

GALLERY_STORAGE_PLUGIN(descriptor)
