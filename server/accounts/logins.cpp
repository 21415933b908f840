// SPDX-License-Identifier: Apache-2.0
#include "accounts/logins.hpp"

#include "accounts/user_credentials.hpp"
#include "auth/network.hpp"
#include "auth/random.hpp"

#include <gallery/text.hpp>

#include <algorithm>
#include <utility>

namespace gallery::accounts {
namespace {

using steady = std::chrono::steady_clock;
using millis = std::chrono::milliseconds;

error wrong_credentials() {
    return {errc::unauthenticated, "Invalid username or password"};
}
error not_active() {
    return {errc::unauthenticated, "User account is not active"};
}
error outdated() {
    return {errc::token_expired, "Token has expired"};
}
error held_off(std::chrono::seconds wait) {
    return {errc::too_many_requests,
            "Too many failed logins. Try again in " + std::to_string(wait.count()) + " seconds",
            static_cast<std::uint32_t>(wait.count())};
}

error unknown_activation(std::string_view token) {
    // A token is 75 characters; nothing longer is repeated.
    return {errc::invalid_argument,
            "Unable to find user credentials by activateToken [" + std::string(token.substr(0, 80)) + "]"};
}

constexpr std::size_t id_digits = 32;

void count(std::atomic<std::uint64_t>& counter) noexcept {
    counter.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

logins::logins(directory& accounts, const auth::token_codec& codec, auth::password_service& passwords,
               auth::login_limiter& limiter, login_options options)
    : accounts_(accounts),
      codec_(codec),
      passwords_(passwords),
      limiter_(limiter),
      options_(options),
      refreshes_(
          {.burst = refreshes_at_once,
           .interval = std::max<steady::duration>(options.access_lifetime, std::chrono::seconds(4)) / 4}) {}

logins::login_counters logins::counters() const noexcept {
    return {succeeded_.load(std::memory_order_relaxed), failed_.load(std::memory_order_relaxed),
            held_off_.load(std::memory_order_relaxed)};
}

token_pair logins::issue(const user& account, std::string session) const {
    auth::token_claims claims;
    static_cast<auth::identity&>(claims) = identity_of(account);
    claims.session = session.empty() ? to_string(random_uuid()) : std::move(session);
    // A token issued in the very second in which all earlier ones were ended must be later than them.
    claims.issued_at = std::max(accounts_.now() / 1000, account.tokens_valid_after + 1);
    claims.expires_at = claims.issued_at + options_.access_lifetime.count();
    claims.enabled = account.enabled;
    token_pair out;
    out.token = codec_.sign(claims);
    claims.kind = auth::token_kind::refresh;
    claims.expires_at = claims.issued_at + options_.refresh_lifetime.count();
    claims.id = to_string(random_uuid());
    out.refresh_token = codec_.sign(claims);
    return out;
}

result<auth::login_limiter::attempt> logins::begin_attempt(std::string_view name, std::string_view address) {
    auto attempted = limiter_.begin(name, address, steady::now());
    if (const auto wait = attempted.refused()) {
        count(held_off_);
        return held_off(*wait);
    }
    return attempted;
}

task<result<std::string>> logins::check_password(auth::login_limiter::attempt attempted,
                                                 auth::password_service::turns::turn turn,
                                                 std::string password, std::string stored, error wrong) {
    auto verdict = co_await passwords_.verify(std::move(turn), std::move(password), std::move(stored));
    if (!verdict.matches) {
        count(failed_);
        attempted.failed(steady::now());
        co_return wrong;
    }
    attempted.succeeded();
    co_return std::move(verdict.better_hash);
}

task<result<token_pair>> logins::log_in(std::string username, std::string password, std::string address) {
    const auto name = is_utf8(username) ? folded_email(username) : std::string();
    auto attempted = begin_attempt(name, address);
    if (!attempted) co_return attempted.error();
    // Before the store is asked, so that a flood of logins does not reach it.
    auto turn = co_await passwords_.begin(auth::network_of(address));
    if (!turn) co_return turn.error();
    if (auto fresh = co_await accounts_.catch_up(); !fresh) co_return fresh.error();
    const auto account = name.empty() ? nullptr : accounts_.find_user_by_email(username);
    auto stored = account ? account->password_hash : std::string();
    auto wrong = wrong_credentials();
    const auto better_hash = co_await check_password(
        std::move(*attempted), std::move(*turn), std::move(password), std::move(stored), std::move(wrong));
    if (!better_hash) co_return better_hash.error();
    // Asked again: the account may have changed while the password was checked.
    const auto current = accounts_.account_status_of(account->id, account->owner, {});
    if (!current.account || current.tenant_deleted ||
        current.account->password_hash != account->password_hash) {
        count(failed_);
        co_return wrong_credentials();
    }
    if (!current.account->enabled) {
        count(failed_);
        co_return not_active();
    }
    count(succeeded_);
    auto pair = issue(*current.account, {});
    if (!better_hash->empty()) {
        // An imported bcrypt hash, or one of an older cost. If this fails, the next login tries again.
        directory::edit<user> renew = [before = account->password_hash,
                                       after = *better_hash](user& value) -> result<void> {
            if (value.password_hash == before) value.password_hash = after;
            return {};
        };
        (void)co_await accounts_.change_user(account->id, std::move(renew));
    }
    co_return pair;
}

task<result<token_pair>> logins::refresh(std::string refresh_token) {
    const auto now = accounts_.now();
    const auto claims = codec_.verify(refresh_token, std::chrono::system_clock::time_point(millis(now)));
    if (!claims) co_return claims.error();
    if (claims->kind != auth::token_kind::refresh) {
        co_return error{errc::unauthenticated, "Invalid JWT token: /api/auth/token requires a refresh token"};
    }
    const auto good = [&]() -> result<user_ptr> {
        // A refresh token names no tenant: without an account here there is nothing to issue a token for.
        auto status = accounts_.account_status_of(claims->user, system_tenant, claims->session);
        if (!status.account || status.tenant_deleted) {
            return error{errc::unauthenticated, "Authentication failed"};
        }
        if (!status.account->enabled) return not_active();
        if (status.session_ended || claims->issued_at <= status.account->tokens_valid_after)
            return outdated();
        return std::move(status.account);
    };
    if (auto fresh = co_await accounts_.catch_up(); !fresh) co_return fresh.error();
    const auto before = good();
    if (!before) co_return before.error();
    const auto owner = (*before)->owner;
    const auto& session = claims->session.empty() ? claims->id : claims->session;
    if (const auto wait = refreshes_.take(session, steady::now())) {
        co_return error{errc::too_many_requests,
                        "This session refreshes its tokens too often. Try again in " +
                            std::to_string(wait->count()) + " seconds",
                        static_cast<std::uint32_t>(wait->count())};
    }
    const auto grace = std::chrono::duration_cast<millis>(options_.refresh_grace).count();
    auto spent = co_await accounts_.spend_token(claims->id, claims->expires_at * 1000, grace, owner);
    if (!spent) co_return spent.error();
    if (*spent == directory::spending::reused) {
        if (!claims->session.empty()) {
            auto ended = co_await accounts_.end_session(claims->session, owner);
            if (!ended) co_return ended.error();
        }
        co_return error{errc::unauthenticated,
                        "The refresh token was used before. Its session has ended: log in again"};
    }
    const auto account = good();
    if (!account) co_return account.error();
    co_return issue(**account, claims->session);
}

task<result<void>> logins::log_out(auth::principal_ptr who, bool everywhere) {
    if (everywhere && who->has_account) {
        directory::edit<user> end = [now = accounts_.now()](user& value) -> result<void> {
            end_all_sessions(value, now);
            return {};
        };
        auto done = co_await accounts_.change_user(who->user, std::move(end));
        if (!done) co_return done.error();
    }
    if (!who->session.empty()) co_return co_await accounts_.end_session(who->session, who->tenant);
    co_return result<void>();
}

task<result<token_pair>> logins::change_password(auth::principal_ptr who, std::string current,
                                                 std::string chosen, std::string address) {
    const auto account = who->has_account ? accounts_.find_user(who->user) : nullptr;
    if (!account)
        co_return error{errc::permission_denied, "The password of this account is managed by another server"};
    if (const auto allowed = auth::check_password_policy(chosen); !allowed) co_return allowed.error();
    auto attempted = begin_attempt(folded_email(account->email), address);
    if (!attempted) co_return attempted.error();
    auto turn = co_await passwords_.begin(auth::network_of(address));
    if (!turn) co_return turn.error();
    error wrong{errc::invalid_argument, "Current password doesn't match!"};
    const auto checked = co_await check_password(std::move(*attempted), std::move(*turn), current,
                                                 account->password_hash, std::move(wrong));
    if (!checked) co_return checked.error();
    if (current == chosen)
        co_return error{errc::invalid_argument, "New password should be different from existing!"};
    auto hash = co_await passwords_.hash(std::move(chosen), auth::network_of(address));
    if (!hash) co_return hash.error();
    directory::edit<user> change = [before = account->password_hash, after = *hash,
                                    now = accounts_.now()](user& value) -> result<void> {
        if (value.password_hash != before) {
            return error{errc::version_conflict, "The password was changed by another user in the meantime"};
        }
        value.password_hash = after;
        end_all_sessions(value, now);
        return {};
    };
    auto changed = co_await accounts_.change_user(account->id, std::move(change));
    if (!changed) co_return changed.error();
    co_return issue(**changed, {});
}

result<user_ptr> logins::check_activation(std::string_view token) const {
    if (auto fresh = accounts_.require_fresh(); !fresh) return fresh.error();
    if (token.size() <= id_digits) return unknown_activation(token);
    std::string text(token.substr(0, id_digits));
    for (const std::size_t hyphen : {8U, 13U, 18U, 23U}) {
        text.insert(hyphen, 1, '-');
    }
    const auto value = parse_uuid(text);
    if (!value) return unknown_activation(token);
    auto account = accounts_.find_user(user_id{*value});
    if (!account || !account->pending) return unknown_activation(token);
    if (!auth::equal_in_constant_time(token.substr(id_digits),
                                      activation_mac(codec_, account->id, account->pending->nonce))) {
        return unknown_activation(token);
    }
    if (account->pending->expires <= accounts_.now()) {
        return error{errc::invalid_argument,
                     "Activation token expired. Ask the administrator for a new link"};
    }
    return account;
}

task<result<user_ptr>> logins::follow_activation(std::string token) {
    if (auto fresh = co_await accounts_.catch_up(); !fresh) co_return fresh.error();
    co_return check_activation(token);
}

task<result<token_pair>> logins::activate(std::string token, std::string password) {
    const auto account = co_await follow_activation(token);
    if (!account) co_return account.error();
    if (const auto allowed = auth::check_password_policy(password); !allowed) co_return allowed.error();
    auto hash = co_await passwords_.hash(std::move(password), to_string((*account)->id));
    if (!hash) co_return hash.error();
    // A link is good once, also for two requests at the same time.
    directory::edit<user> change = [nonce = (*account)->pending->nonce, after = *hash,
                                    token](user& value) -> result<void> {
        if (!value.pending || value.pending->nonce != nonce) return unknown_activation(token);
        value.password_hash = after;
        value.pending.reset();
        value.enabled = true;
        return {};
    };
    auto changed = co_await accounts_.change_user((*account)->id, std::move(change));
    if (!changed) co_return changed.error();
    co_return issue(**changed, {});
}

}  // namespace gallery::accounts
