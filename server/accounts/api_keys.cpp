// SPDX-License-Identifier: Apache-2.0
#include "accounts/api_keys.hpp"

#include "accounts/permissions.hpp"
#include "auth/api_key.hpp"

namespace gallery::accounts {
namespace {

directory::edit<api_key> set_enabled(bool enabled) {
    return [enabled](api_key& value) -> result<void> {
        value.enabled = enabled;
        return {};
    };
}

}  // namespace

result<signed_in> prove_signed_in(anybody who) {
    if (auto may = require_signed_in(who.who()); !may) return may.error();
    return signed_in(std::move(who));
}

result<api_key_ptr> api_keys::find(const anybody& who, api_key_id id) const {
    auto key = all_.find_api_key(id);
    const auto holder = key ? all_.find_user(key->holder) : nullptr;
    if (!holder) return error{errc::not_found, "API key with id [" + to_string(id) + "] is not found"};
    if (!may_manage(who.who(), *holder)) return permission_denied();
    return key;
}

task<result<api_key_ptr>> api_keys::change(anybody who, api_key_id id, directory::edit<api_key> how) {
    const auto known = find(who, id);
    if (!known) co_return known.error();
    auto changed = co_await all_.change_api_key(id, std::move(how));
    co_return changed;
}

task<result<made_key>> api_keys::create(anybody who, submitted_api_key sent) {
    const auto holder_id = sent.user ? user_id{*sent.user} : who.who().user;
    const auto holder = all_.find_user(holder_id);
    if (!holder) co_return error{errc::not_found, "User with id [" + to_string(holder_id) + "] is not found"};
    if (!may_manage(who.who(), *holder)) co_return permission_denied();
    made_key made;
    made.secret = auth::generate_api_key();
    api_key value;
    value.holder = holder->id;
    value.owner = holder->owner;
    value.description = std::move(sent.description);
    value.enabled = sent.enabled.value_or(true);
    value.expiration_time = sent.expiration_time.value_or(0);
    value.hash = auth::api_key_digest(made.secret);
    auto stored = co_await all_.create(std::move(value));
    if (!stored) co_return stored.error();
    made.key = std::move(*stored);
    co_return made;
}

task<result<made_key>> api_keys::save(signed_in who, submitted_api_key sent) {
    if (sent.expiration_time && *sent.expiration_time != 0 && *sent.expiration_time <= now()) {
        co_return error{errc::invalid_argument,
                        "The field 'expirationTime' is in the past. Expected milliseconds since 1970 of a "
                        "future time, or 0 for never"};
    }
    if (!sent.id) {
        auto made = co_await create(std::move(who).release(), std::move(sent));
        co_return made;
    }
    const api_key_id id{*sent.id};
    const auto known = find(who.who(), id);
    if (!known) co_return known.error();
    if (sent.user && user_id{*sent.user} != (*known)->holder) {
        co_return error{errc::invalid_argument, "The user of an API key cannot be changed"};
    }
    directory::edit<api_key> how = [sent = std::move(sent)](api_key& value) -> result<void> {
        value.description = sent.description;
        if (sent.enabled) value.enabled = *sent.enabled;
        if (sent.expiration_time) value.expiration_time = *sent.expiration_time;
        return {};
    };
    auto changed = co_await all_.change_api_key(id, std::move(how));
    if (!changed) co_return changed.error();
    co_return made_key{std::move(*changed), {}};
}

task<result<api_key_ptr>> api_keys::describe(signed_in who, api_key_id id, std::string description) {
    directory::edit<api_key> how = [description = std::move(description)](api_key& value) -> result<void> {
        value.description = description;
        return {};
    };
    return change(std::move(who).release(), id, std::move(how));
}

task<result<api_key_ptr>> api_keys::enable(signed_in who, api_key_id id) {
    return change(std::move(who).release(), id, set_enabled(true));
}

task<result<api_key_ptr>> api_keys::disable(anybody who, api_key_id id) {
    return change(std::move(who), id, set_enabled(false));
}

task<result<void>> api_keys::erase(anybody who, api_key_id id) {
    const auto known = find(who, id);
    if (!known) co_return known.error();
    auto done = co_await all_.delete_api_key(id);
    co_return done;
}

std::vector<api_key_ptr> api_keys::list(const managed_user& of) const {
    return all_.api_keys_of(of.account().id);
}

}  // namespace gallery::accounts
