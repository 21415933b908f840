// SPDX-License-Identifier: Apache-2.0
/// The endpoints of the accounts, one table per resource, and the services that their handlers use.
#pragma once

#include "accounts/api_keys.hpp"
#include "accounts/customers.hpp"
#include "accounts/logins.hpp"
#include "accounts/proof.hpp"
#include "accounts/tenant_profiles.hpp"
#include "accounts/tenants.hpp"
#include "accounts/users.hpp"
#include "api/endpoint.hpp"
#include "turns/fair_pool.hpp"

#include <gallery/error.hpp>
#include <gallery/uuid.hpp>

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

namespace gallery::api {

/// The use cases. Handlers do not reach the layers below them. Thread-safe; they outlive the router.
struct account_services {
    accounts::logins& logins;
    accounts::tenant_profiles& tenant_profiles;
    accounts::tenants& tenants;
    accounts::customers& customers;
    accounts::users& users;
    accounts::api_keys& api_keys;
    fair_pool<tenant_id>& background;  ///< sorts long lists
    verify_credentials verify;
};

/// Shows the form for a new password, and receives that password.
inline constexpr std::string_view activation_path = "/api/noauth/activate";

using account_endpoints = std::span<const endpoint<account_services>>;

/// Login, refresh, logout, passwords, activation.
account_endpoints auth_endpoints() noexcept;
account_endpoints tenant_profile_endpoints() noexcept;
account_endpoints tenant_endpoints() noexcept;
account_endpoints customer_endpoints() noexcept;
account_endpoints user_endpoints() noexcept;
account_endpoints api_key_endpoints() noexcept;

/// For principals that signed in. API keys are refused.
template <>
struct access_of<accounts::signed_in> {
    using proof = accounts::signed_in;
    static constexpr access_rule rule{false, false, auth::every_authority, auth::every_authority};
    static result<proof> check(auth::principal_ptr who, const http::request&) {
        auto known = accounts::prove<accounts::anybody>(std::move(who));
        if (!known) return std::move(known).error();
        return accounts::prove_signed_in(std::move(*known));
    }
};

/// A UUID in the path. Error: invalid_argument naming the parameter.
result<uuid> id_parameter(const http::request& message, std::size_t index, std::string_view name);

}  // namespace gallery::api
