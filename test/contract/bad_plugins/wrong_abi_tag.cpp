// SPDX-License-Identifier: Apache-2.0
// Built by another compiler, against another Boost.
#include "refused.hpp"

namespace {

constexpr auto descriptor = [] {
    auto made = gallery::bad::refused_as("wrong_abi_tag");
    made.abi_tag = "gcc11;c++201709L;boost-107400;asio-header-only";
    return made;
}();

}  // namespace

GALLERY_STORAGE_PLUGIN(descriptor)
