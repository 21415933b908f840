// SPDX-License-Identifier: Apache-2.0
// Users: /api/user..., /api/users, and the lists of a tenant's administrators and a customer's users.
#include "api/account_json.hpp"
#include "api/account_pages.hpp"
#include "api/account_services.hpp"
#include "http/errors.hpp"
#include "http/forwarded.hpp"
#include "http/query.hpp"

#include <string>
#include <utility>

namespace gallery::api {
namespace {

/// The user in the path, with proof that the sender may see and rename it.
result<accounts::kept_user> kept(const account_services& services, http::request& message) {
    auto who = require<accounts::anybody>(services, message);
    if (!who) return who.error();
    const auto id = id_parameter(message, 0, "userId");
    if (!id) return id.error();
    return services.users.keep(std::move(*who), user_id{*id});
}

/// The same, with proof that the sender may disable and delete it.
result<accounts::decidable_user> decidable(const account_services& services, http::request& message) {
    auto who = require<accounts::anybody>(services, message);
    if (!who) return who.error();
    const auto id = id_parameter(message, 0, "userId");
    if (!id) return id.error();
    return services.users.decide(std::move(*who), user_id{*id});
}

/// The same, with proof that the sender may let the user in.
result<accounts::admissible_user> admissible(const account_services& services, http::request& message) {
    auto found = decidable(services, message);
    if (!found) return found.error();
    return accounts::users::admit(std::move(*found));
}

task<result<http::response>> save(const account_services& services, http::request& message) {
    auto who = require<accounts::anybody>(services, message);
    if (!who) co_return who.error();
    if (const auto mail = http::query_view(message.query()).get_boolean("sendActivationMail"); !mail) {
        co_return mail.error();
    }
    auto body = co_await read_json_object(message);
    if (!body) co_return body.error();
    auto sent = parse_user(*body);
    if (!sent) co_return sent.error();
    auto saved = co_await services.users.save(std::move(*who), std::move(*sent));
    if (!saved) co_return saved.error();
    co_return http::response::json(200, user_json(**saved));
}

task<result<http::response>> find(const account_services& services, http::request& message) {
    const auto found = kept(services, message);
    if (!found) co_return found.error();
    co_return http::response::json(200, user_json(found->account()));
}

task<result<http::response>> erase(const account_services& services, http::request& message) {
    auto found = kept(services, message);
    if (!found) co_return found.error();
    auto done = co_await services.users.erase(std::move(*found));
    if (!done) co_return done.error();
    co_return http::response::empty(200);
}

task<result<http::response>> set_enabled(const account_services& services, http::request& message) {
    auto found = decidable(services, message);
    if (!found) co_return found.error();
    const auto enabled = http::query_view(message.query()).get_boolean("userCredentialsEnabled");
    if (!enabled) co_return enabled.error();
    auto done = co_await services.users.set_enabled(std::move(*found), enabled->value_or(true));
    if (!done) co_return done.error();
    co_return http::response::empty(200);
}

task<result<http::response>> activation_link(const account_services& services, http::request& message) {
    auto found = admissible(services, message);
    if (!found) co_return found.error();
    auto token = co_await services.users.activation_token(std::move(*found));
    if (!token) co_return token.error();
    const auto view = http::view_of(message);
    co_return http::response::text(200, view.url("/api/noauth/activate?activateToken=" + *token));
}

/// **Ours**: ThingsBoard resets a password by mail only, which a gallery does not send.
task<result<http::response>> set_password(const account_services& services, http::request& message) {
    auto found = admissible(services, message);
    if (!found) co_return found.error();
    auto body = co_await read_json_object(message);
    if (!body) co_return body.error();
    json_fields fields(*body);
    auto password = fields.secret("password");
    if (const auto good = fields.done(); !good) co_return good.error();
    auto done = co_await services.users.set_password(std::move(*found), std::move(password));
    if (!done) co_return done.error();
    co_return http::response::empty(200);
}

task<result<http::response>> user_page(http::request& message, std::vector<accounts::user_ptr> users) {
    const auto page = parse_page_request(message, {"createdTime", "firstName", "lastName", "email"});
    if (!page) co_return page.error();
    const auto text = [](const accounts::user& one, std::string_view property) -> std::string {
        if (property == "firstName") return one.first_name;
        if (property == "lastName") return one.last_name;
        if (property == "email") return one.email;
        return {};
    };
    const auto number = [](const accounts::user& one, std::string_view property) {
        return property == "createdTime" ? one.created_time : 0;
    };
    auto items = account_page(
        std::move(users), *page, [](const accounts::user& one) { return one.email; }, text, number,
        [](const accounts::user& one) { return user_json(one); });
    auto answer = page_response(std::move(items), page->bounds);
    co_return co_await std::move(answer);
}

task<result<http::response>> list(const account_services& services, http::request& message) {
    const auto who = require<accounts::anybody>(services, message);
    if (!who) co_return who.error();
    auto page = user_page(message, services.users.list(*who));
    co_return co_await std::move(page);
}

task<result<http::response>> list_tenant_admins(const account_services& services, http::request& message) {
    const auto who = require<accounts::system_administrator>(services, message);
    if (!who) co_return who.error();
    const auto id = id_parameter(message, 0, "tenantId");
    if (!id) co_return id.error();
    auto users = services.users.administrators_of(*who, tenant_id{*id});
    if (!users) co_return users.error();
    auto page = user_page(message, std::move(*users));
    co_return co_await std::move(page);
}

task<result<http::response>> list_customer_users(const account_services& services, http::request& message) {
    const auto who = require<accounts::tenant_administrator>(services, message);
    if (!who) co_return who.error();
    const auto id = id_parameter(message, 0, "customerId");
    if (!id) co_return id.error();
    auto users = services.users.of_customer(*who, customer_id{*id});
    if (!users) co_return users.error();
    auto page = user_page(message, std::move(*users));
    co_return co_await std::move(page);
}

}  // namespace

void add_user_routes(http::router& routes, const account_services& services) {
    using http::method;
    const auto add = [&](method verb, std::string_view pattern, std::string_view name,
                         account_endpoint answer, std::uint64_t limit = 0) {
        add_endpoint(routes, services, verb, pattern, name, answer, limit);
    };
    add(method::post, "/api/user", "user.save", save, max_account_body);
    add(method::get, "/api/user/{userId}", "user.find", find);
    add(method::delete_, "/api/user/{userId}", "user.delete", erase);
    add(method::post, "/api/user/{userId}/userCredentialsEnabled", "user.enable", set_enabled);
    add(method::get, "/api/user/{userId}/activationLink", "user.activation_link", activation_link);
    add(method::post, "/api/user/{userId}/password", "user.set_password", set_password, max_account_body);
    add(method::get, "/api/users", "user.list", list);
    add(method::get, "/api/tenant/{tenantId}/users", "user.list_of_tenant", list_tenant_admins);
    add(method::get, "/api/customer/{customerId}/users", "user.list_of_customer", list_customer_users);
}

}  // namespace gallery::api
