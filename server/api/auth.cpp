// SPDX-License-Identifier: Apache-2.0
// Login, refresh, logout, passwords, activation: /api/auth/... and /api/noauth/activate.
#include "api/account_json.hpp"
#include "api/account_services.hpp"
#include "http/forwarded.hpp"
#include "http/query.hpp"

#include <boost/json/object.hpp>

#include <array>
#include <string>
#include <utility>

namespace gallery::api {
namespace {

using namespace std::string_view_literals;

http::response pair_response(const accounts::token_pair& pair) {
    boost::json::object out;
    out["token"] = pair.token;
    out["refreshToken"] = pair.refresh_token;
    return http::response::json(200, out);
}

task<result<http::response>> log_in(const account_services& services, http::request& message) {
    constexpr std::array names{"username"sv, "password"sv};
    auto sent = co_await read_secrets(message, names);
    if (!sent) co_return sent.error();
    auto& [username, password] = *sent;
    std::string address(message.remote_address());
    auto pair = co_await services.logins.log_in(std::move(username), std::move(password), std::move(address));
    if (!pair) co_return pair.error();
    co_return pair_response(*pair);
}

task<result<http::response>> refresh(const account_services& services, http::request& message) {
    constexpr std::array names{"refreshToken"sv};
    auto sent = co_await read_secrets(message, names);
    if (!sent) co_return sent.error();
    auto& [token] = *sent;
    auto pair = co_await services.logins.refresh(std::move(token));
    if (!pair) co_return pair.error();
    co_return pair_response(*pair);
}

task<result<http::response>> current_user(const account_services& services, accounts::anybody who,
                                          http::request&) {
    const auto account = services.users.own(who);
    co_return http::response::json(200, account ? user_json(*account) : user_json(who.who()));
}

task<result<http::response>> log_out(const account_services& services, accounts::anybody who,
                                     http::request& message) {
    const auto everywhere = http::query_view(message.query()).get_boolean("everywhere");
    if (!everywhere) co_return everywhere.error();
    auto done = co_await services.logins.log_out(who.shared(), everywhere->value_or(false));
    if (!done) co_return done.error();
    co_return http::response::empty(200);
}

task<result<http::response>> change_password(const account_services& services, accounts::signed_in who,
                                             http::request& message) {
    constexpr std::array names{"currentPassword"sv, "newPassword"sv};
    auto sent = co_await read_secrets(message, names);
    if (!sent) co_return sent.error();
    auto& [current, chosen] = *sent;
    std::string address(message.remote_address());
    auto pair = co_await services.logins.change_password(who.who().shared(), std::move(current),
                                                         std::move(chosen), std::move(address));
    if (!pair) co_return pair.error();
    co_return pair_response(*pair);
}

/// A browser follows the link to the page where the password is chosen. As in ThingsBoard, 303 and, where the
/// link is no good, 409; **ours** is the error's body.
task<result<http::response>> follow_link(const account_services& services, http::request& message) {
    const auto token = http::query_view(message.query()).require("activateToken");
    if (!token) co_return token.error();
    const auto account = co_await services.logins.follow_activation(*token);
    if (!account) {
        auto failure = account.error();
        if (failure.code == errc::invalid_argument) failure.code = errc::version_conflict;
        co_return failure;
    }
    auto out = http::response::empty(303);
    // A token that passed the check is letters, digits, '-' and '_'.
    out.add("Location", http::path_prefix(message) + "/login/createPassword?activateToken=" + *token);
    out.add("Cache-Control", "no-store");
    co_return out;
}

task<result<http::response>> activate(const account_services& services, http::request& message) {
    if (const auto mail = http::query_view(message.query()).get_boolean("sendActivationMail"); !mail) {
        co_return mail.error();
    }
    constexpr std::array names{"activateToken"sv, "password"sv};
    auto sent = co_await read_secrets(message, names);
    if (!sent) co_return sent.error();
    auto& [token, password] = *sent;
    auto pair = co_await services.logins.activate(std::move(token), std::move(password));
    if (!pair) co_return pair.error();
    co_return pair_response(*pair);
}

constexpr endpoint<account_services> endpoints[] = {
    {http::method::post, "/api/auth/login", "auth.login", body_kind::json, allow<everyone, log_in>},
    {http::method::post, "/api/auth/token", "auth.token", body_kind::json, allow<everyone, refresh>},
    {http::method::get, "/api/auth/user", "auth.user", body_kind::none,
     allow<accounts::anybody, current_user>},
    {http::method::post, "/api/auth/logout", "auth.logout", body_kind::none,
     allow<accounts::anybody, log_out>},
    {http::method::post, "/api/auth/changePassword", "auth.change_password", body_kind::json,
     allow<accounts::signed_in, change_password>},
    {http::method::get, activation_path, "auth.activation_link", body_kind::none,
     allow<everyone, follow_link>},
    {http::method::post, activation_path, "auth.activate", body_kind::json, allow<everyone, activate>},
};

}  // namespace

account_endpoints auth_endpoints() noexcept {
    return endpoints;
}

}  // namespace gallery::api
