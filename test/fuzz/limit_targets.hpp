// SPDX-License-Identifier: Apache-2.0
/// Parsers of the limits that administrators set, run over one input with their invariants checked.
#pragma once

#include <string_view>

namespace gallery::fuzz {

/// Aborts the process where an invariant does not hold. The input is copied into memory of exactly its size,
/// so that an address sanitizer sees a step too far.
void rates(std::string_view input);
/// The input as profileData of a tenant profile, as sent and as stored.
void profile_data(std::string_view input);

}  // namespace gallery::fuzz
