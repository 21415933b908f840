/// ThingsBoard's JSON shapes of the accounts. Fields without a value are left out, which its schemas ask for;
/// additionalInfo is null.
#pragma once

#include "accounts/accounts.hpp"
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
/// As far as a token of another server tells it.
boost::json::object user_json(const auth::principal& value);
/// ApiKeyInfo and, **ours**, lastUsedTime (ms, 0 = never, at most a minute behind).
boost::json::object api_key_json(const accounts::api_key& value, std::int64_t now);

/// What a client sent in place of an account. id: absent means a new one. version: where it is given, the
/// account must still be at it.
template <class Account>
struct submitted {
    std::optional<uuid> id;
    std::optional<std::int64_t> version;
    Account value;
};

result<submitted<accounts::tenant>> parse_tenant(const boost::json::object& from);
result<submitted<accounts::customer>> parse_customer(const boost::json::object& from);

struct submitted_user {
    std::optional<uuid> id;
    std::optional<std::int64_t> version;
    std::optional<uuid> tenant;    ///< absent, too, where it is the system's
    std::optional<uuid> customer;  ///< absent, too, where it is ThingsBoard's null id
    accounts::user value;          ///< names, email, role, additional_info
};
result<submitted_user> parse_user(const boost::json::object& from);

struct submitted_api_key {
    std::optional<uuid> id;
    std::optional<uuid> user;
    std::string description;
    std::optional<bool> enabled;
    std::optional<std::int64_t> expiration_time;
};
result<submitted_api_key> parse_api_key(const boost::json::object& from);

/// "@" with something on both sides, no spaces. What a mail server would say is not asked.
bool is_email_address(std::string_view text) noexcept;

/// version_conflict where a version was given and is not the present one.
result<void> check_version(const std::optional<std::int64_t>& given, std::int64_t current);

}  // namespace gallery::api
