// SPDX-License-Identifier: Apache-2.0
/// ThingsBoard's `profileData` of a tenant profile: a JSON object whose member `configuration` contains the
/// limits. The server reads those of images and of requests, and keeps all other members for the clients.
/// Pure functions.
#pragma once

#include "accounts/accounts.hpp"

#include <gallery/error.hpp>

#include <string>
#include <string_view>

namespace gallery::accounts {

/// Sets `data` and `limits` of a profile, none of which are ignored. @p text is a JSON object, or empty for a
/// profile without limits. A configuration without a type gets ThingsBoard's only one, DEFAULT. Error:
/// invalid_argument that names the field, its value and the values that it takes; the profile is unchanged.
result<void> set_data(tenant_profile& profile, std::string_view text);

/// The same for data that is stored, which another version of the server may have checked: a limit that is
/// not accepted does not apply and is noted in `ignored_limits`, and the data stays as it is, so that it is
/// not lost. Error: invalid_argument for a text that is not JSON; the profile is unchanged.
result<void> restore_data(tenant_profile& profile, std::string text);

}  // namespace gallery::accounts
