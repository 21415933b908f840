// SPDX-License-Identifier: Apache-2.0
/// Finds the principal of an authentication header.
#pragma once

#include "accounts/directory.hpp"
#include "accounts/request_limits.hpp"
#include "auth/jwt.hpp"
#include "auth/principal.hpp"
#include "cache/token_cache.hpp"

#include <gallery/error.hpp>
#include <gallery/mutex.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::accounts {

struct authenticator_options {
    /// Number of verified tokens that each thread caches; 0 of either: none.
    std::size_t cached_tokens = 4096;
    std::size_t cached_bytes = 4U << 20U;
    /// Whether users of a ThingsBoard server are accepted by their tokens' claims. Only valid if an operator
    /// gave that server the same signing key. With a key of this server alone, an unknown user is one of its
    /// own users who is not (or no longer) in this store, for example after a switch of the storage or a
    /// restored backup.
    bool foreign_users = false;
};

/// Decides which principal a token belongs to.
///
/// A token's signature proves that it was issued by us or by a ThingsBoard server with our signing key. What
/// its bearer may do is decided here:
///  - A user with an account here: role, tenant and customer are those of the *account*, not of the token.
///    Refused where the account is disabled, its tenant deleted, the session logged out, or the token older
///    than the last change of the password.
///  - A user who was deleted here (a tombstone is known): refused.
///  - Any other user, where foreign users are not let in (authenticator_options): refused.
///  - Else such a user can only come from that ThingsBoard server: the token's claims count, if they are
///    consistent (a tenant's administrator has a tenant, a customer's user a customer) and state that the
///    user is enabled, and if the tenant was not deleted here. Such a principal reaches that tenant and
///    nothing else, like everybody, and has no account (principal::has_account): no password, no API keys, no
///    refreshing.
///
/// A principal also has the limits of requests that its tenant's profile sets. A changed profile raises the
/// epoch of the directory, so that the next request has the new limits.
///
/// Threads: authenticate() on any thread at any time, never blocking; each thread caches verified tokens, so
/// that a repeated one costs some 0.1 microseconds. The threads end before the authenticator.
class authenticator {
public:
    using time_point = std::chrono::system_clock::time_point;

    /// Both outlive the authenticator.
    authenticator(const directory& accounts, const auth::token_codec& codec,
                  authenticator_options options = {});
    authenticator(const authenticator&) = delete;
    authenticator& operator=(const authenticator&) = delete;

    /// Uses memory only, and refuses if that is too old to decide about permissions.
    /// @p header is the value of X-Authorization, else of Authorization: "Bearer <token>" or "ApiKey <key>".
    /// Errors: unavailable (directory::require_fresh()); unauthenticated; token_expired for an access token
    /// past its time, of a session that was logged out, or from before a change of the password.
    [[nodiscard]] result<auth::principal_ptr> authenticate(std::string_view header, time_point now);

    /// Gives a principal that was found in another way, by a ticket, the limits of its requests, which
    /// authenticate() gives all others.
    void assign_limits(auth::principal& who);

    /// The system's clock at the kernel's last tick, some milliseconds ago. It is cheap, and exact enough for
    /// expiries in seconds.
    [[nodiscard]] static time_point coarse_now() noexcept;

    /// Sums over all threads.
    [[nodiscard]] cache::token_cache_counters counters() const;
    [[nodiscard]] request_limits::figures refused_requests() const noexcept { return limits_.refused(); }

private:
    struct proof;
    struct thread_cache;

    [[nodiscard]] result<std::shared_ptr<proof>> verify(std::string_view header, time_point now) const;
    [[nodiscard]] result<std::shared_ptr<proof>> verify_token(std::string_view token, time_point now) const;
    [[nodiscard]] result<std::shared_ptr<proof>> verify_key(std::string_view secret, time_point now) const;
    cache::token_cache<proof>& cache_of_this_thread();

    const directory& accounts_;
    const auth::token_codec& codec_;
    const authenticator_options options_;
    const std::uint64_t serial_;
    request_limits limits_;
    mutable mutex caches_mutex_;
    std::vector<std::weak_ptr<thread_cache>> caches_ GALLERY_GUARDED_BY(caches_mutex_);
};

}  // namespace gallery::accounts
