// SPDX-License-Identifier: Apache-2.0
/// ThingsBoard's JSON shapes of the accounts. Fields without a value are omitted, as its schemas require;
/// additionalInfo is null.
#pragma once

#include "accounts/submitted.hpp"
#include "api/json_fields.hpp"

#include <gallery/error.hpp>

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace gallery::api {

boost::json::object tenant_json(const accounts::tenant& value);
boost::json::object customer_json(const accounts::customer& value);
/// additionalInfo has, besides what was stored, userCredentialsEnabled and userActivated.
boost::json::object user_json(const accounts::user& value);
/// The members that a token of another server contains.
boost::json::object user_json(const auth::principal& value);
/// ApiKeyInfo and, **ours**, lastUsedTime (ms, 0 = never, at most a minute behind).
boost::json::object api_key_json(const accounts::api_key& value, std::int64_t now);

result<accounts::submitted<accounts::tenant>> parse_tenant(const boost::json::object& from);
result<accounts::submitted<accounts::customer>> parse_customer(const boost::json::object& from);
result<accounts::submitted_user> parse_user(const boost::json::object& from);
result<accounts::submitted_api_key> parse_api_key(const boost::json::object& from);

}  // namespace gallery::api
