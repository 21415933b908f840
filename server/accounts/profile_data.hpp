// SPDX-License-Identifier: Apache-2.0
/// ThingsBoard's `profileData` of a tenant profile: a JSON object whose member `configuration` contains the
/// limits. The server reads those of images and of requests, and keeps all other members for the clients.
/// Pure functions.
#pragma once

#include "accounts/accounts.hpp"

#include <gallery/error.hpp>

#include <string_view>

namespace gallery::accounts {

/// Sets `data` and `limits` of a profile. @p text is a JSON object, or empty for a profile without limits. A
/// configuration without a type gets ThingsBoard's only one, DEFAULT. Error: invalid_argument that names the
/// field, its value and the values that it takes; the profile is unchanged.
result<void> set_data(tenant_profile& profile, std::string_view text);

}  // namespace gallery::accounts
