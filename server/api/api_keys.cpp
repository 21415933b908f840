// SPDX-License-Identifier: Apache-2.0
// API keys: /api/apiKey..., for devices and scripts. The secret is in the answer to the creation and nowhere
// else. Who comes with a key sees and revokes keys, and makes, changes and enables none.
#include "api/account_json.hpp"
#include "api/account_pages.hpp"
#include "api/account_services.hpp"
#include "http/errors.hpp"
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

result<accounts::signed_in> require_signed_in(const account_services& services, http::request& message) {
    auto who = require<accounts::anybody>(services, message);
    if (!who) return who.error();
    return accounts::prove_signed_in(std::move(*who));
}

task<result<http::response>> save(const account_services& services, http::request& message) {
    auto who = require_signed_in(services, message);
    if (!who) co_return who.error();
    auto body = co_await read_json_object(message);
    if (!body) co_return body.error();
    auto sent = parse_api_key(*body);
    if (!sent) co_return sent.error();
    auto made = co_await services.api_keys.save(std::move(*who), std::move(*sent));
    if (!made) co_return made.error();
    co_return key_response(services, *made->key, made->secret);
}

task<result<http::response>> list(const account_services& services, http::request& message) {
    auto who = require<accounts::anybody>(services, message);
    if (!who) co_return who.error();
    const auto id = id_parameter(message, 0, "userId");
    if (!id) co_return id.error();
    const auto holder = services.users.keep(std::move(*who), user_id{*id});
    if (!holder) co_return holder.error();
    const auto page =
        parse_page_request(message, {"createdTime", "expirationTime", "description", "enabled"});
    if (!page) co_return page.error();
    const auto text = [](const accounts::api_key& one, std::string_view property) -> std::string {
        return property == "description" ? one.description : std::string();
    };
    const auto number = [](const accounts::api_key& one, std::string_view property) -> std::int64_t {
        if (property == "createdTime") return one.created_time;
        if (property == "expirationTime") return one.expiration_time;
        if (property == "enabled") return one.enabled ? 1 : 0;
        return 0;
    };
    const auto now = services.api_keys.now();
    auto items = account_page(
        services.api_keys.list(*holder), *page, [](const accounts::api_key& one) { return one.description; },
        text, number, [now](const accounts::api_key& one) { return api_key_json(one, now); });
    auto answer = page_response(std::move(items), page->bounds);
    co_return co_await std::move(answer);
}

/// The body is a JSON string or, as ThingsBoard's clients send it, the bare text.
task<result<http::response>> describe(const account_services& services, http::request& message) {
    auto who = require_signed_in(services, message);
    if (!who) co_return who.error();
    const auto id = id_parameter(message, 0, "id");
    if (!id) co_return id.error();
    auto text = co_await message.body().read_all(max_account_body);
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
    const auto changed = co_await services.api_keys.describe(std::move(*who), api_key_id{*id}, description);
    co_return info_response(services, changed);
}

task<result<http::response>> enable(const account_services& services, http::request& message) {
    const auto enabled = parse_boolean(message.param(1));
    auto who = require<accounts::anybody>(services, message);
    if (!who) co_return who.error();
    if (enabled && !*enabled) {
        const auto id = id_parameter(message, 0, "id");
        if (!id) co_return id.error();
        const auto changed = co_await services.api_keys.disable(std::move(*who), api_key_id{*id});
        co_return info_response(services, changed);
    }
    auto signed_in = accounts::prove_signed_in(std::move(*who));
    if (!signed_in) co_return signed_in.error();
    const auto id = id_parameter(message, 0, "id");
    if (!id) co_return id.error();
    if (!enabled) {
        co_return error{
            errc::invalid_argument,
            "Parameter 'enabledValue' is '" + message.param(1).substr(0, 80) + "'. It takes true or false."};
    }
    const auto changed = co_await services.api_keys.enable(std::move(*signed_in), api_key_id{*id});
    co_return info_response(services, changed);
}

task<result<http::response>> erase(const account_services& services, http::request& message) {
    auto who = require<accounts::anybody>(services, message);
    if (!who) co_return who.error();
    const auto id = id_parameter(message, 0, "id");
    if (!id) co_return id.error();
    auto done = co_await services.api_keys.erase(std::move(*who), api_key_id{*id});
    if (!done) co_return done.error();
    co_return http::response::empty(200);
}

}  // namespace

void add_api_key_routes(http::router& routes, const account_services& services) {
    using http::method;
    add_endpoint(routes, services, method::post, "/api/apiKey", "api_key.save", save, max_account_body);
    add_endpoint(routes, services, method::get, "/api/apiKeys/{userId}", "api_key.list", list);
    add_endpoint(routes, services, method::delete_, "/api/apiKey/{id}", "api_key.delete", erase);
    add_endpoint(routes, services, method::put, "/api/apiKey/{id}/description", "api_key.describe", describe,
                 max_account_body);
    add_endpoint(routes, services, method::put, "/api/apiKey/{id}/enabled/{enabledValue}", "api_key.enable",
                 enable);
}

}  // namespace gallery::api
