// API keys: /api/apiKey..., for devices and scripts. The secret is in the answer to the creation and nowhere
// else. Who comes with a key sees and revokes keys, and makes, changes and enables none.
#include "api/account_access.hpp"
#include "api/account_json.hpp"
#include "api/account_pages.hpp"
#include "api/account_services.hpp"
#include "auth/authenticator.hpp"
#include "http/errors.hpp"
#include "http/query.hpp"

#include <boost/json/parse.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace gallery::api {
namespace {

using edit_key = auth::directory::edit<auth::api_key>;

error user_not_found(const uuid& id) {
    return {errc::not_found, "User with id [" + to_string(id) + "] is not found"};
}

/// The key with this id, if whoever asks keeps its user.
result<auth::api_key_ptr> own_key(const account_services& services, http::request& message, const uuid& id) {
    const auto who = require_anybody(services, message);
    if (!who) return who.error();
    auto key = services.accounts.find_api_key(api_key_id{id});
    const auto holder = key ? services.accounts.find_user(key->holder) : nullptr;
    if (!holder) return error{errc::not_found, "API key with id [" + to_string(id) + "] is not found"};
    if (!may_keep(**who, *holder)) return permission_denied();
    return key;
}

enum class what_for : std::uint8_t { revocation, change };

result<auth::api_key_ptr> key_in_path(const account_services& services, http::request& message,
                                      what_for purpose) {
    const auto who = require_anybody(services, message);
    if (!who) return who.error();
    if (purpose == what_for::change) {
        if (const auto may = require_signed_in(**who); !may) return may.error();
    }
    const auto id = id_parameter(message, 0, "id");
    if (!id) return id.error();
    return own_key(services, message, *id);
}

/// @p value: the secret of a new key; of a known one it is not known any more and the field is empty.
http::response key_response(const account_services& services, const auth::api_key& key,
                            const std::string& value) {
    auto out = api_key_json(key, services.accounts.now());
    out["value"] = value;
    return http::response::json(200, out);
}

task<result<http::response>> change(const account_services& services, api_key_id id, edit_key how) {
    auto changed = co_await services.accounts.change_api_key(id, std::move(how));
    if (!changed) co_return changed.error();
    co_return http::response::json(200, api_key_json(**changed, services.accounts.now()));
}

task<result<http::response>> update(const account_services& services, http::request& message,
                                    submitted_api_key sent) {
    const auto known = own_key(services, message, *sent.id);
    if (!known) co_return known.error();
    if (sent.user && user_id{*sent.user} != (*known)->holder) {
        co_return error{errc::invalid_argument, "The user of an API key cannot be changed"};
    }
    edit_key how = [sent](auth::api_key& value) -> result<void> {
        value.description = sent.description;
        if (sent.enabled) value.enabled = *sent.enabled;
        if (sent.expiration_time) value.expiration_time = *sent.expiration_time;
        return {};
    };
    auto changed = co_await services.accounts.change_api_key((*known)->id, std::move(how));
    if (!changed) co_return changed.error();
    co_return key_response(services, **changed, {});
}

task<result<http::response>> save(const account_services& services, http::request& message) {
    const auto who = require_anybody(services, message);
    if (!who) co_return who.error();
    if (const auto may = require_signed_in(**who); !may) co_return may.error();
    auto body = co_await read_json_object(message);
    if (!body) co_return body.error();
    auto sent = parse_api_key(*body);
    if (!sent) co_return sent.error();
    if (sent->expiration_time && *sent->expiration_time != 0 &&
        *sent->expiration_time <= services.accounts.now()) {
        co_return error{errc::invalid_argument,
                        "The field 'expirationTime' is in the past. It takes milliseconds "
                        "since 1970 of a time to come, or 0 for never"};
    }
    if (sent->id) {
        auto updated = co_await update(services, message, std::move(*sent));
        co_return updated;
    }
    // Left out, it is for whoever asks.
    const auto holder_id = sent->user ? user_id{*sent->user} : (*who)->user;
    const auto holder = services.accounts.find_user(holder_id);
    if (!holder) co_return user_not_found(holder_id.value);
    if (!may_keep(**who, *holder)) co_return permission_denied();
    const auto secret = auth::generate_api_key();
    auth::api_key value;
    value.holder = holder->id;
    value.owner = holder->owner;
    value.description = sent->description;
    value.enabled = sent->enabled.value_or(true);
    value.expiration_time = sent->expiration_time.value_or(0);
    value.hash = auth::api_key_digest(secret);
    auto made = co_await services.accounts.create(std::move(value));
    if (!made) co_return made.error();
    co_return key_response(services, **made, secret);
}

task<result<http::response>> list(const account_services& services, http::request& message) {
    const auto who = require_anybody(services, message);
    if (!who) co_return who.error();
    const auto id = id_parameter(message, 0, "userId");
    if (!id) co_return id.error();
    const auto holder = services.accounts.find_user(user_id{*id});
    if (!holder) co_return user_not_found(*id);
    if (!may_keep(**who, *holder)) co_return permission_denied();
    const auto page =
        parse_page_request(message, {"createdTime", "expirationTime", "description", "enabled"});
    if (!page) co_return page.error();
    const auto text = [](const auth::api_key& one, std::string_view property) -> std::string {
        return property == "description" ? one.description : std::string();
    };
    const auto number = [](const auth::api_key& one, std::string_view property) -> std::int64_t {
        if (property == "createdTime") return one.created_time;
        if (property == "expirationTime") return one.expiration_time;
        if (property == "enabled") return one.enabled ? 1 : 0;
        return 0;
    };
    const auto now = services.accounts.now();
    auto items = account_page(
        services.accounts.api_keys_of(holder->id), *page,
        [](const auth::api_key& one) { return one.description; }, text, number,
        [now](const auth::api_key& one) { return api_key_json(one, now); });
    auto answer = page_response(std::move(items), page->bounds);
    co_return co_await std::move(answer);
}

/// The body is a JSON string or, as ThingsBoard's clients send it, the bare text.
task<result<http::response>> describe(const account_services& services, http::request& message) {
    const auto known = key_in_path(services, message, what_for::change);
    if (!known) co_return known.error();
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
    edit_key how = [description](auth::api_key& key) -> result<void> {
        key.description = description;
        return {};
    };
    auto changed = co_await change(services, (*known)->id, std::move(how));
    co_return changed;
}

task<result<http::response>> enable(const account_services& services, http::request& message) {
    const auto enabled = parse_boolean(message.param(1));
    const auto known =
        key_in_path(services, message, enabled && !*enabled ? what_for::revocation : what_for::change);
    if (!known) co_return known.error();
    if (!enabled) {
        co_return error{
            errc::invalid_argument,
            "Parameter 'enabledValue' is '" + message.param(1).substr(0, 80) + "'. It takes true or false."};
    }
    edit_key how = [enabled](auth::api_key& key) -> result<void> {
        key.enabled = *enabled;
        return {};
    };
    auto changed = co_await change(services, (*known)->id, std::move(how));
    co_return changed;
}

task<result<http::response>> erase(const account_services& services, http::request& message) {
    const auto known = key_in_path(services, message, what_for::revocation);
    if (!known) co_return known.error();
    auto done = co_await services.accounts.delete_api_key((*known)->id);
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
