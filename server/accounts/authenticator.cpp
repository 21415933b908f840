// SPDX-License-Identifier: Apache-2.0
#include "accounts/authenticator.hpp"

#include "auth/api_key.hpp"

#include <gallery/characters.hpp>
#include <gallery/clock.hpp>

#include <atomic>
#include <ctime>
#include <optional>
#include <utility>

namespace gallery::accounts {
namespace {

error failed() {
    return {errc::unauthenticated, "Authentication failed"};
}
error outdated() {
    return {errc::token_expired, "Token has expired"};
}

/// What follows an authentication scheme, whose name is compared without regard to case (RFC 9110, 11.1).
std::optional<std::string_view> after_scheme(std::string_view header, std::string_view scheme) {
    if (header.size() <= scheme.size() || header[scheme.size()] != ' ') return std::nullopt;
    if (!equals_ignoring_case(header.substr(0, scheme.size()), scheme)) return std::nullopt;
    header.remove_prefix(scheme.size());
    while (header.starts_with(' '))
        header.remove_prefix(1);
    return header;
}

bool is_consistent(const auth::token_claims& claims) {
    if (!claims.enabled) return false;
    switch (claims.role) {
        case auth::authority::sys_admin:
            return claims.tenant == system_tenant && !claims.customer;
        case auth::authority::tenant_admin:
            return claims.tenant != system_tenant && !claims.customer;
        case auth::authority::customer_user:
            return claims.tenant != system_tenant && claims.customer.has_value();
    }
    return false;
}

auth::principal principal_of(auth::identity who, bool has_account) {
    auth::principal proven;
    static_cast<auth::identity&>(proven) = std::move(who);
    proven.has_account = has_account;
    return proven;
}

/// The clock counts nanoseconds in 64 bits and ends in the year 2262; a later time is its last one.
template <class Duration>
authenticator::time_point time_of(Duration since_1970) noexcept {
    using time_point = authenticator::time_point;
    constexpr auto last = std::chrono::duration_cast<Duration>(time_point::max().time_since_epoch());
    return since_1970 >= last ? time_point::max() : time_point(since_1970);
}

std::uint64_t next_serial() {
    static std::atomic<std::uint64_t> authenticators{0};
    return ++authenticators;
}

}  // namespace

struct authenticator::proof {
    auth::principal who;
    time_point expires_at;
    std::shared_ptr<std::atomic<std::int64_t>> latest_use;  ///< of an API key
};

struct authenticator::thread_cache {
    thread_cache(const cache::revocation_epoch& epoch, const authenticator_options& options)
        : tokens(epoch, options.cached_tokens, options.cached_bytes) {}
    cache::token_cache<proof> tokens;
};

authenticator::authenticator(const directory& accounts, const auth::token_codec& codec,
                             authenticator_options options)
    : accounts_(accounts), codec_(codec), options_(options), serial_(next_serial()) {}

cache::token_cache<authenticator::proof>& authenticator::cache_of_this_thread() {
    struct slot {
        std::uint64_t serial = 0;
        std::shared_ptr<thread_cache> mine;
    };
    thread_local slot here;
    if (here.serial != serial_) [[unlikely]] {
        here.mine = std::make_shared<thread_cache>(accounts_.epoch(), options_);
        here.serial = serial_;
        const lock_guard lock(caches_mutex_);
        std::erase_if(caches_, [](const auto& known) { return known.expired(); });
        caches_.push_back(here.mine);
    }
    return here.mine->tokens;
}

authenticator::time_point authenticator::coarse_now() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return time_point(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

result<auth::principal_ptr> authenticator::authenticate(std::string_view header, time_point now) {
    const auto note_use = [now](const proof& proven) {
        if (!proven.latest_use) return;
        const auto at = milliseconds_of(now);
        // A second is fine enough, and spares threads with the same key from writing one line in turn.
        if (at - proven.latest_use->load(std::memory_order_relaxed) >= 1000) {
            proven.latest_use->store(at, std::memory_order_relaxed);
        }
    };
    if (header.empty()) return failed();
    if (!accounts_.is_fresh()) [[unlikely]] {
        if (auto fresh = accounts_.require_fresh(); !fresh) return fresh.error();
    }
    auto& known = cache_of_this_thread();
    if (const auto* found = known.find(header, now)) {
        note_use(**found);
        return auth::principal_ptr(*found, &(*found)->who);
    }
    const auto epoch = accounts_.epoch().current();
    auto verified = verify(header, now);
    if (!verified) return verified.error();
    assign_limits((*verified)->who);
    note_use(**verified);
    known.insert(header, *verified, (*verified)->expires_at, epoch);
    return auth::principal_ptr(*verified, &(*verified)->who);
}

void authenticator::assign_limits(auth::principal& who) {
    if (const auto limits = accounts_.limits_of(who.tenant)) limits_.assign(who, *limits);
}

result<std::shared_ptr<authenticator::proof>> authenticator::verify(std::string_view header,
                                                                    time_point now) const {
    if (const auto token = after_scheme(header, "bearer")) return verify_token(*token, now);
    if (const auto secret = after_scheme(header, "apikey")) return verify_key(*secret, now);
    return failed();
}

result<std::shared_ptr<authenticator::proof>> authenticator::verify_token(std::string_view token,
                                                                          time_point now) const {
    auto claims = codec_.verify(token, now);
    if (!claims) return claims.error();
    if (claims->kind != auth::token_kind::access) {
        return error{errc::unauthenticated,
                     "Invalid JWT token: a refresh token is valid for /api/auth/token only"};
    }
    const auto status = accounts_.account_status_of(claims->user, claims->tenant, claims->session);
    if (status.user_deleted || status.tenant_deleted) return failed();
    if (status.session_ended) return outdated();
    auto proven = std::make_shared<proof>();
    if (status.account) {
        if (!status.account->enabled) return error{errc::unauthenticated, "User account is not active"};
        if (claims->issued_at <= status.account->tokens_valid_after) return outdated();
        proven->who = principal_of(identity_of(*status.account), true);
    } else {
        if (!options_.foreign_users || !is_consistent(*claims)) return failed();
        proven->who = principal_of(*claims, false);
    }
    proven->who.session = std::move(claims->session);
    proven->expires_at = time_of(std::chrono::seconds(claims->expires_at));
    return proven;
}

result<std::shared_ptr<authenticator::proof>> authenticator::verify_key(std::string_view secret,
                                                                        time_point now) const {
    if (!secret.starts_with(auth::api_key_prefix) || secret.size() > 256) return failed();
    const auto status = accounts_.key_status_of(auth::api_key_digest(secret));
    if (!status.key || !status.account || status.tenant_deleted) return failed();
    if (!status.key->enabled) return error{errc::unauthenticated, "The API key is disabled"};
    const auto at = milliseconds_of(now);
    if (status.key->expired(at)) return error{errc::token_expired, "The API key has expired"};
    if (!status.account->enabled) return error{errc::unauthenticated, "User account is not active"};
    auto proven = std::make_shared<proof>();
    proven->who = principal_of(identity_of(*status.account), true);
    proven->who.api_key = status.key->id;
    proven->expires_at = status.key->expiration_time == 0
                             ? time_point::max()
                             : time_of(std::chrono::milliseconds(status.key->expiration_time));
    proven->latest_use = status.key->latest_use;
    return proven;
}

cache::token_cache_counters authenticator::counters() const {
    cache::token_cache_counters sum;
    const lock_guard lock(caches_mutex_);
    for (const auto& known : caches_) {
        const auto alive = known.lock();
        if (!alive) continue;
        const auto one = alive->tokens.counters();
        sum.hits += one.hits;
        sum.misses += one.misses;
        sum.evictions += one.evictions;
        sum.bytes += one.bytes;
        sum.entries += one.entries;
    }
    return sum;
}

}  // namespace gallery::accounts
