/// What the endpoints of the accounts need, and how they are hung into the router.
#pragma once

#include "api/access.hpp"
#include "auth/directory.hpp"
#include "auth/logins.hpp"
#include "http/router.hpp"

#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <cstdint>
#include <functional>
#include <string_view>

namespace gallery::api {

/// Bytes that the body of the route with this pattern may have, at most @p own and at least 1.
using body_limiter = std::function<std::uint64_t(std::string_view pattern, std::uint64_t own)>;

/// How many images a tenant has, whatever their sub type. Errors: those of the store.
using count_tenant_images = std::function<task<result<std::uint64_t>>(tenant_id)>;

/// Outlives the router. Used by all I/O threads at once; nothing in it changes.
struct account_services {
    auth::directory& accounts;
    auth::logins& logins;
    verify_credentials verify;
    auth::tenant_images_eraser erase_images;
    count_tenant_images count_images;
    body_limiter limit_body;
    /// A ThingsBoard server can have our signing key, so that there are tenants which are not known here.
    bool adopts_tenants = false;
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

/// Who asks, if of one of these roles. Errors: those of principal_of(); permission_denied.
result<auth::principal_ptr> require_role(const account_services& services, http::request& message,
                                         std::initializer_list<auth::authority> roles);
/// Who asks, of any role.
result<auth::principal_ptr> require_anybody(const account_services& services, http::request& message);

/// A UUID in the path. Error: invalid_argument naming the parameter.
result<uuid> id_parameter(const http::request& message, std::size_t index, std::string_view name);

/// ThingsBoard's text.
error permission_denied();

}  // namespace gallery::api
