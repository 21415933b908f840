// SPDX-License-Identifier: Apache-2.0
/// The authenticated sender of a request.
#pragma once

#include <gallery/uuid.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gallery::auth {

enum class authority : std::uint8_t { sys_admin, tenant_admin, customer_user };

/// As written in tokens and in JSON: "SYS_ADMIN", "TENANT_ADMIN", "CUSTOMER_USER".
std::string_view name_of(authority role) noexcept;

/// The inverse of name_of; nothing else is accepted.
std::optional<authority> parse_authority(std::string_view text) noexcept;

/// The identity that a token or an API key proves. Immutable and shared by the caches of verified tokens.
struct principal {
    user_id user;
    tenant_id tenant;  ///< system_tenant for a system administrator
    std::optional<customer_id> customer;
    authority role = authority::customer_user;
    std::string email;
    std::string first_name;
    std::string last_name;
    std::string session;                ///< of the token; empty for an API key
    std::optional<api_key_id> api_key;  ///< if the request was made with one
    /// False for a user of a ThingsBoard server with the same signing key, who has no account here.
    bool has_account = true;
};

using principal_ptr = std::shared_ptr<const principal>;

}  // namespace gallery::auth
