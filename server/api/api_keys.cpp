// SPDX-License-Identifier: Apache-2.0
// API keys: /api/apiKey..., for devices and scripts. The secret is in the answer to the creation and nowhere
// else. Who comes with a key sees and revokes keys, and makes, changes and enables none.
#include "api/account_json.hpp"
#include "api/account_pages.hpp"
#include "api/account_services.hpp"
#include "http/query.hpp"

#include <boost/json/parse.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace gallery::api {
namespace {

/// @p value: the secret of a new key. That of a known one is not stored, and the field is empty.
http::response key_response(const account_services& services, const accounts::api_key& key,
                            const std::string& value) {
    auto out = api_key_json(key, services.api_keys.now());
    out["value"] = value;
    return http::response::json(200, out);
}

result<http::response> info_response(const account_services& services,
                                     const result<accounts::api_key_ptr>& key) {
    if (!key) return key.error();
    return http::response::json(200, api_key_json(**key, services.api_keys.now()));
}

task<result<http::response>> save(const account_services& services, accounts::signed_in who,
                                  http::request& message) {
    auto sent = co_await read_json(message, parse_api_key);
    if (!sent) co_return sent.error();
    auto made = co_await services.api_keys.save(std::move(who), std::move(*sent));
    if (!made) co_return made.error();
    co_return key_response(services, *made->key, made->secret);
}

sort_key key_of_enabled(const accounts::api_key& one) {
    return {{}, one.enabled ? 1 : 0};
}

constexpr sort_column<accounts::api_key> columns[] = {
    {"createdTime", key_of_member<&accounts::api_key::created_time>},
    {"expirationTime", key_of_member<&accounts::api_key::expiration_time>},
    {"description", key_of_member<&accounts::api_key::description>},
    {"enabled", key_of_enabled},
};

constexpr account_listing<accounts::api_key> listing{columns, &accounts::api_key::description, api_key_json};

task<result<http::response>> list(const account_services& services, accounts::anybody who,
                                  http::request& message) {
    const auto id = id_parameter(message, 0, "userId");
    if (!id) co_return id.error();
    const auto holder = services.users.manage(std::move(who), user_id{*id});
    if (!holder) co_return holder.error();
    auto page = account_page(services.background, holder->who().tenant, message,
                             services.api_keys.list(*holder), listing, services.api_keys.now());
    co_return co_await std::move(page);
}

/// The body is a JSON string or, as ThingsBoard's clients send it, the bare text.
task<result<http::response>> describe(const account_services& services, accounts::signed_in who,
                                      http::request& message) {
    const auto id = id_parameter(message, 0, "id");
    if (!id) co_return id.error();
    auto text = co_await message.body().read_all(message.body().limit());
    if (!text) co_return text.error();
    boost::json::object wrapped;
    boost::system::error_code failed;
    auto value = boost::json::parse(*text, failed);
    if (!failed && value.is_string()) {
        wrapped["description"] = std::move(value);
    } else if (is_utf8(*text)) {
        wrapped["description"] = *text;
    } else {
        co_return error{errc::invalid_argument, "The description is not well-formed UTF-8"};
    }
    json_fields fields(wrapped);
    const auto description = fields.required_text("description");
    if (const auto good = fields.done(); !good) co_return good.error();
    const auto changed = co_await services.api_keys.describe(std::move(who), api_key_id{*id}, description);
    co_return info_response(services, changed);
}

task<result<http::response>> enable(const account_services& services, accounts::anybody who,
                                    http::request& message) {
    const auto enabled = parse_boolean(message.param(1));
    if (enabled && !*enabled) {
        const auto id = id_parameter(message, 0, "id");
        if (!id) co_return id.error();
        const auto changed = co_await services.api_keys.disable(std::move(who), api_key_id{*id});
        co_return info_response(services, changed);
    }
    auto signed_in = accounts::prove_signed_in(std::move(who));
    if (!signed_in) co_return signed_in.error();
    const auto id = id_parameter(message, 0, "id");
    if (!id) co_return id.error();
    if (!enabled) {
        co_return bad_parameter("enabledValue", message.param(1), "true or false");
    }
    const auto changed = co_await services.api_keys.enable(std::move(*signed_in), api_key_id{*id});
    co_return info_response(services, changed);
}

task<result<http::response>> erase(const account_services& services, accounts::anybody who,
                                   http::request& message) {
    const auto id = id_parameter(message, 0, "id");
    if (!id) co_return id.error();
    auto done = co_await services.api_keys.erase(std::move(who), api_key_id{*id});
    if (!done) co_return done.error();
    co_return http::response::empty(200);
}

constexpr endpoint<account_services> endpoints[] = {
    {http::method::post, "/api/apiKey", "api_key.save", body_kind::json, allow<accounts::signed_in, save>},
    {http::method::get, "/api/apiKeys/{userId}", "api_key.list", body_kind::none,
     allow<accounts::anybody, list>},
    {http::method::delete_, "/api/apiKey/{id}", "api_key.delete", body_kind::none,
     allow<accounts::anybody, erase>},
    {http::method::put, "/api/apiKey/{id}/description", "api_key.describe", body_kind::json,
     allow<accounts::signed_in, describe>},
    {http::method::put, "/api/apiKey/{id}/enabled/{enabledValue}", "api_key.enable", body_kind::none,
     allow<accounts::anybody, enable>},
};

}  // namespace

account_endpoints api_key_endpoints() noexcept {
    return endpoints;
}

}  // namespace gallery::api
