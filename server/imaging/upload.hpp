// SPDX-License-Identifier: Apache-2.0
/// A picture that is to be inspected.
#pragma once

#include <gallery/bytes.hpp>
#include <gallery/sha256.hpp>
#include <gallery/uuid.hpp>

#include <string>

namespace gallery::imaging {

struct upload {
    tenant_id tenant;         ///< whose turn it is, and whose queue it waits in
    sha256_digest content{};  ///< of the original's bytes
    body original;
    std::string request_id;  ///< for the log; empty: of no request
};

}  // namespace gallery::imaging
