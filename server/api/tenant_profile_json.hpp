// SPDX-License-Identifier: Apache-2.0
/// ThingsBoard's JSON shapes of tenant profiles: TenantProfile and EntityInfo.
#pragma once

#include "accounts/tenant_profiles.hpp"

#include <gallery/error.hpp>

#include <boost/json/object.hpp>

namespace gallery::api {

/// **Ours**: `ignoredLimits`, if there are any: why limits in profileData do not apply.
boost::json::object tenant_profile_json(const accounts::tenant_profile& value);
/// The id and the name.
boost::json::object tenant_profile_info_json(const accounts::tenant_profile& value);

result<accounts::submitted_profile> parse_tenant_profile(const boost::json::object& from);

}  // namespace gallery::api
