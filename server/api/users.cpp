// SPDX-License-Identifier: Apache-2.0
// Users: /api/user..., /api/users, and the lists of a tenant's administrators and a customer's users.
#include "api/account_json.hpp"
#include "api/account_pages.hpp"
#include "api/account_services.hpp"
#include "http/forwarded.hpp"
#include "http/query.hpp"

#include <array>
#include <string>
#include <utility>

namespace gallery::api {
namespace {

using namespace std::string_view_literals;

/// The user in the path, with proof that the sender may see and rename it.
result<accounts::managed_user> managed(const account_services& services, accounts::anybody who,
                                       const http::request& message) {
    const auto id = id_parameter(message, 0, "userId");
    if (!id) return id.error();
    return services.users.manage(std::move(who), user_id{*id});
}

/// The same, with proof that the sender may disable and delete it.
result<accounts::administered_user> administered(const account_services& services, accounts::anybody who,
                                                 const http::request& message) {
    const auto id = id_parameter(message, 0, "userId");
    if (!id) return id.error();
    return services.users.administer(std::move(who), user_id{*id});
}

/// The same, with proof that the sender may let the user in.
result<accounts::user_to_admit> admissible(const account_services& services, accounts::anybody who,
                                           const http::request& message) {
    auto found = administered(services, std::move(who), message);
    if (!found) return found.error();
    return accounts::users::admit(std::move(*found));
}

task<result<http::response>> save(const account_services& services, accounts::anybody who,
                                  http::request& message) {
    if (const auto mail = http::query_view(message.query()).get_boolean("sendActivationMail"); !mail) {
        co_return mail.error();
    }
    auto sent = co_await read_json(message, parse_user);
    if (!sent) co_return sent.error();
    auto saved = co_await services.users.save(std::move(who), std::move(*sent));
    if (!saved) co_return saved.error();
    co_return http::response::json(200, user_json(**saved));
}

task<result<http::response>> find(const account_services& services, accounts::anybody who,
                                  http::request& message) {
    const auto found = managed(services, std::move(who), message);
    if (!found) co_return found.error();
    co_return http::response::json(200, user_json(found->account()));
}

task<result<http::response>> erase(const account_services& services, accounts::anybody who,
                                   http::request& message) {
    auto found = managed(services, std::move(who), message);
    if (!found) co_return found.error();
    auto done = co_await services.users.erase(std::move(*found));
    if (!done) co_return done.error();
    co_return http::response::empty(200);
}

task<result<http::response>> set_enabled(const account_services& services, accounts::anybody who,
                                         http::request& message) {
    auto found = administered(services, std::move(who), message);
    if (!found) co_return found.error();
    const auto enabled = http::query_view(message.query()).get_boolean("userCredentialsEnabled");
    if (!enabled) co_return enabled.error();
    auto done = co_await services.users.set_enabled(std::move(*found), enabled->value_or(true));
    if (!done) co_return done.error();
    co_return http::response::empty(200);
}

task<result<http::response>> activation_link(const account_services& services, accounts::anybody who,
                                             http::request& message) {
    auto found = admissible(services, std::move(who), message);
    if (!found) co_return found.error();
    auto token = co_await services.users.activation_token(std::move(*found));
    if (!token) co_return token.error();
    const auto view = http::view_of(message);
    co_return http::response::text(200, view.url(std::string(activation_path) + "?activateToken=" + *token));
}

/// **Ours**: ThingsBoard resets a password by mail only, which a gallery does not send.
task<result<http::response>> set_password(const account_services& services, accounts::anybody who,
                                          http::request& message) {
    auto found = admissible(services, std::move(who), message);
    if (!found) co_return found.error();
    constexpr std::array names{"password"sv};
    auto sent = co_await read_secrets(message, names);
    if (!sent) co_return sent.error();
    auto& [password] = *sent;
    auto done = co_await services.users.set_password(std::move(*found), std::move(password));
    if (!done) co_return done.error();
    co_return http::response::empty(200);
}

constexpr sort_column<accounts::user> columns[] = {
    {"createdTime", key_of_member<&accounts::user::created_time>},
    {"firstName", key_of_member<&accounts::user::first_name>},
    {"lastName", key_of_member<&accounts::user::last_name>},
    {"email", key_of_member<&accounts::user::email>},
};

constexpr account_listing<accounts::user> listing{
    columns, &accounts::user::email, [](const accounts::user& one, std::int64_t) { return user_json(one); }};

task<result<http::response>> list(const account_services& services, accounts::anybody who,
                                  http::request& message) {
    return account_page(services.background, who.who().tenant, message, services.users.list(who), listing);
}

task<result<http::response>> list_tenant_admins(const account_services& services,
                                                accounts::system_administrator who, http::request& message) {
    const auto id = id_parameter(message, 0, "tenantId");
    if (!id) co_return id.error();
    auto users = services.users.administrators_of(who, tenant_id{*id});
    if (!users) co_return users.error();
    auto page = account_page(services.background, who.who().tenant, message, std::move(*users), listing);
    co_return co_await std::move(page);
}

task<result<http::response>> list_customer_users(const account_services& services,
                                                 accounts::tenant_administrator who, http::request& message) {
    const auto id = id_parameter(message, 0, "customerId");
    if (!id) co_return id.error();
    auto users = services.users.of_customer(who, customer_id{*id});
    if (!users) co_return users.error();
    auto page = account_page(services.background, who.who().tenant, message, std::move(*users), listing);
    co_return co_await std::move(page);
}

constexpr endpoint<account_services> endpoints[] = {
    {http::method::post, "/api/user", "user.save", body_kind::json, allow<accounts::anybody, save>},
    {http::method::get, "/api/user/{userId}", "user.find", body_kind::none, allow<accounts::anybody, find>},
    {http::method::delete_, "/api/user/{userId}", "user.delete", body_kind::none,
     allow<accounts::anybody, erase>},
    {http::method::post, "/api/user/{userId}/userCredentialsEnabled", "user.enable", body_kind::none,
     allow<accounts::anybody, set_enabled>},
    {http::method::get, "/api/user/{userId}/activationLink", "user.activation_link", body_kind::none,
     allow<accounts::anybody, activation_link>},
    {http::method::post, "/api/user/{userId}/password", "user.set_password", body_kind::json,
     allow<accounts::anybody, set_password>},
    {http::method::get, "/api/users", "user.list", body_kind::none, allow<accounts::anybody, list>},
    {http::method::get, "/api/tenant/{tenantId}/users", "user.list_of_tenant", body_kind::none,
     allow<accounts::system_administrator, list_tenant_admins>},
    {http::method::get, "/api/customer/{customerId}/users", "user.list_of_customer", body_kind::none,
     allow<accounts::tenant_administrator, list_customer_users>},
};

}  // namespace

account_endpoints user_endpoints() noexcept {
    return endpoints;
}

}  // namespace gallery::api
