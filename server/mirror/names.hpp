// SPDX-License-Identifier: Apache-2.0
/// The names of items in a store.
#pragma once

#include <gallery/model.hpp>

#include <string>
#include <utility>

namespace gallery::mirror {

using image_name = std::pair<tenant_id, std::string>;       ///< tenant and key
using document_name = std::pair<std::string, std::string>;  ///< kind and id

}  // namespace gallery::mirror
