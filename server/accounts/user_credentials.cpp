// SPDX-License-Identifier: Apache-2.0
#include "accounts/user_credentials.hpp"

#include "auth/random.hpp"

#include <gallery/encode.hpp>

#include <algorithm>
#include <utility>

namespace gallery::accounts {
namespace {

error already_activated() {
    return {errc::invalid_argument, "User is already activated!"};
}

}  // namespace

void end_all_sessions(user& account, std::int64_t now_ms) {
    account.tokens_valid_after = std::max(now_ms / 1000, account.tokens_valid_after + 1);
}

std::string activation_mac(const auth::token_codec& codec, user_id id, std::string_view nonce) {
    const auto text = "gallery-activation\n" + to_string(id) + '\n' + std::string(nonce);
    return base64url_encode(codec.mac(text).substr(0, 32));
}

user_credentials::user_credentials(directory& all, const auth::token_codec& codec,
                                   auth::password_service& passwords, std::chrono::hours activation_lifetime)
    : all_(all), codec_(codec), passwords_(passwords), activation_lifetime_(activation_lifetime) {}

task<result<void>> user_credentials::set_password(user_id id, std::string chosen, condition allowed) {
    if (const auto good = auth::check_password_policy(chosen); !good) co_return good.error();
    const auto account = all_.find_user(id);
    auto who = account ? to_string(account->owner) : std::string();
    auto hash = co_await passwords_.hash(std::move(chosen), std::move(who));
    if (!hash) co_return hash.error();
    directory::edit<user> change = [after = *hash, now = all_.now(),
                                    allowed = std::move(allowed)](user& value) -> result<void> {
        if (auto may = allowed ? allowed(value) : result<void>(); !may) return may;
        value.password_hash = after;
        if (value.pending) {
            value.pending.reset();
            value.enabled = true;
        }
        end_all_sessions(value, now);
        return {};
    };
    auto changed = co_await all_.change_user(id, std::move(change));
    if (!changed) co_return changed.error();
    co_return result<void>();
}

task<result<void>> user_credentials::set_enabled(user_id id, bool enabled) {
    directory::edit<user> change = [enabled, other_link = begin_activation(),
                                    now = all_.now()](user& value) -> result<void> {
        if (enabled && value.password_hash.empty()) {
            return error{errc::invalid_argument,
                         "Can't enable a user without a password; it is chosen with the activation link"};
        }
        value.enabled = enabled;
        if (!enabled) {
            end_all_sessions(value, now);
            // Of whom was invited, the link is what lets in. Nobody has the other one yet.
            if (value.pending) value.pending = other_link;
        }
        return {};
    };
    auto changed = co_await all_.change_user(id, std::move(change));
    if (!changed) co_return changed.error();
    co_return result<void>();
}

activation user_credentials::begin_activation() const {
    activation out;
    out.nonce = auth::random_alphanumerics(22);
    out.expires =
        all_.now() + std::chrono::duration_cast<std::chrono::milliseconds>(activation_lifetime_).count();
    return out;
}

task<result<std::string>> user_credentials::activation_token(user_id id, condition allowed) {
    auto account = all_.find_user(id);
    if (account && account->pending && account->pending->expires <= all_.now()) {
        directory::edit<user> renew = [next = begin_activation()](user& value) -> result<void> {
            if (!value.pending) return {};
            const auto made_with = value.pending->made_with;
            value.pending = next;
            value.pending->made_with = made_with;
            return {};
        };
        auto renewed = co_await all_.change_user(id, std::move(renew));
        if (!renewed) co_return renewed.error();
        account = *renewed;
    }
    if (!account) co_return error{errc::not_found, "User with id [" + to_string(id) + "] is not found"};
    if (auto may = allowed ? allowed(*account) : result<void>(); !may) co_return may.error();
    if (!account->pending) co_return already_activated();
    auto token = to_string(id);
    std::erase(token, '-');
    co_return token + activation_mac(codec_, id, account->pending->nonce);
}

}  // namespace gallery::accounts
