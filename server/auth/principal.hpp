// SPDX-License-Identifier: Apache-2.0
/// The authenticated sender of a request.
#pragma once

#include <gallery/name_table.hpp>
#include <gallery/uuid.hpp>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gallery::auth {

class request_limit;

enum class authority : std::uint8_t { sys_admin, tenant_admin, customer_user };

/// As written in tokens and in JSON.
inline constexpr name_table<authority, 3> authority_names{{{
    {authority::sys_admin, "SYS_ADMIN"},
    {authority::tenant_admin, "TENANT_ADMIN"},
    {authority::customer_user, "CUSTOMER_USER"},
}}};

constexpr std::string_view name_of(authority role) noexcept {
    return authority_names.name_of(role);
}
/// Empty for what is no role.
constexpr std::optional<authority> parse_authority(std::string_view text) noexcept {
    return authority_names.find(text);
}

/// Some of the roles.
class authority_set {
public:
    constexpr authority_set() noexcept = default;
    constexpr authority_set(std::initializer_list<authority> roles) noexcept {
        for (const auto role : roles)
            insert(role);
    }
    constexpr void insert(authority role) noexcept { bits_ = static_cast<std::uint8_t>(bits_ | bit(role)); }
    [[nodiscard]] constexpr bool contains(authority role) const noexcept { return (bits_ & bit(role)) != 0; }
    friend constexpr bool operator==(authority_set, authority_set) noexcept = default;

private:
    static constexpr std::uint8_t bit(authority role) noexcept {
        return static_cast<std::uint8_t>(1U << static_cast<unsigned>(role));
    }
    std::uint8_t bits_ = 0;
};

inline constexpr auto every_authority = [] {
    authority_set all;
    for (const auto& each : authority_names.entries)
        all.insert(each.value);
    return all;
}();

/// The identity that an account, a token and a request have in common.
struct identity {
    user_id user;
    tenant_id tenant;  ///< system_tenant for a system administrator
    std::optional<customer_id> customer;
    authority role = authority::customer_user;
    std::string email;
    std::string first_name;
    std::string last_name;
};

/// The identity that a token or an API key proves. Immutable and shared by the caches of verified tokens.
struct principal : identity {
    std::string session;                ///< of the token; empty for an API key
    std::optional<api_key_id> api_key;  ///< if the request was made with one
    /// False for a user of a ThingsBoard server with the same signing key, who has no account here.
    bool has_account = true;
    /// The limits of requests, which all principals of the tenant and of the customer share; null: no limit.
    std::shared_ptr<request_limit> tenant_requests;
    std::shared_ptr<request_limit> customer_requests;
};

using principal_ptr = std::shared_ptr<const principal>;

}  // namespace gallery::auth
