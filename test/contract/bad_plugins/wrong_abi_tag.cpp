// SPDX-License-Identifier: Apache-2.0
// Built by another compiler, against another Boost.
#include "refused.hpp"

namespace {

constexpr gallery::plugin_descriptor descriptor = {{'G', 'A', 'L', 'L', 'E', 'R', 'Y', 'S'},
                                                   sizeof(gallery::plugin_descriptor),
                                                   gallery::plugin_contract_version,
                                                   "gcc11;c++201709L;boost-107400;asio-header-only",
                                                   "wrong_abi_tag",
                                                   "1",
                                                   "{}",
                                                   false,
                                                   &gallery::bad::must_not_be_called};

}  // namespace

GALLERY_STORAGE_PLUGIN(descriptor)
