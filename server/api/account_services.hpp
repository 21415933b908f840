// SPDX-License-Identifier: Apache-2.0
/// What the endpoints of the accounts need, and how they are hung into the router.
#pragma once

#include "accounts/api_keys.hpp"
#include "accounts/customers.hpp"
#include "accounts/logins.hpp"
#include "accounts/proof.hpp"
#include "accounts/tenants.hpp"
#include "accounts/users.hpp"
#include "api/access.hpp"
#include "http/router.hpp"

#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

namespace gallery::api {

/// Bytes that the body of the route with this pattern may have, at most @p own and at least 1.
using body_limiter = std::function<std::uint64_t(std::string_view pattern, std::uint64_t own)>;

/// The use cases, and nothing below them. Outlives the router. Used by all I/O threads at once; nothing in it
/// changes.
struct account_services {
    accounts::logins& logins;
    accounts::tenants& tenants;
    accounts::customers& customers;
    accounts::users& users;
    accounts::api_keys& api_keys;
    verify_credentials verify;
    body_limiter limit_body;
};

/// Login, refresh, logout, passwords, activation.
void add_auth_routes(http::router& routes, const account_services& services);
void add_tenant_routes(http::router& routes, const account_services& services);
void add_customer_routes(http::router& routes, const account_services& services);
void add_user_routes(http::router& routes, const account_services& services);
void add_api_key_routes(http::router& routes, const account_services& services);

/// All of the above.
void add_account_routes(http::router& routes, const account_services& services);

/// An endpoint: a free coroutine that answers or says why not.
using account_endpoint = task<result<http::response>> (*)(const account_services&, http::request&);

inline constexpr std::uint64_t max_account_body = 64 * 1024;

/// Registers @p answer; its errors become error responses. @p body_limit is what the endpoint itself takes, 0
/// for no body; services.limit_body may lower it.
void add_endpoint(http::router& routes, const account_services& services, http::method verb,
                  std::string_view pattern, std::string_view name, account_endpoint answer,
                  std::uint64_t body_limit = 0);

/// Proof of the sender's role (proof.hpp). Errors: those of principal_of(); permission_denied.
template <class Proof>
result<Proof> require(const account_services& services, http::request& message) {
    auto who = principal_of(message, services.verify);
    if (!who) return who.error();
    return accounts::prove<Proof>(std::move(*who));
}

/// A UUID in the path. Error: invalid_argument naming the parameter.
result<uuid> id_parameter(const http::request& message, std::size_t index, std::string_view name);

}  // namespace gallery::api
