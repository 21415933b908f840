// SPDX-License-Identifier: Apache-2.0
/// A picture that is to be inspected.
#pragma once

#include <gallery/bytes.hpp>
#include <gallery/sha256.hpp>
#include <gallery/uuid.hpp>

namespace gallery::imaging {

struct upload {
    tenant_id tenant;         ///< whose turn it is, and whose queue it waits in
    sha256_digest content{};  ///< of the original's bytes
    body original;
};

}  // namespace gallery::imaging
