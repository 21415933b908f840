// SPDX-License-Identifier: Apache-2.0
/// Tickets, with which a browser downloads without a token.
///
/// A browser writes a download to the disk as it arrives only if it requests it itself. It then sends no
/// Authorization, because the token is in the page's storage. The page therefore gets a ticket first, which
/// it puts into the request. A ticket contains who asked for it and the digest of what is downloaded, and is
/// signed with the key that signs tokens, so that every server of a cluster takes it and none has to
/// remember it. It can be used for that download only, and only for ticket_lifetime. It can be used more than
/// once, so each use counts as a request of the holder. Whoever loses the account, the role or the session
/// in between is refused.
#pragma once

#include "accounts/authenticator.hpp"
#include "accounts/directory.hpp"
#include "auth/jwt.hpp"
#include "auth/principal.hpp"

#include <gallery/error.hpp>
#include <gallery/sha256.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace gallery::accounts {

/// From the ticket to the request that uses it. A download that has begun may take longer.
inline constexpr std::chrono::seconds ticket_lifetime{60};

class download_tickets {
public:
    using time_point = std::chrono::system_clock::time_point;

    /// All of them outlive this.
    download_tickets(const directory& accounts, const auth::token_codec& codec, authenticator& gate)
        : accounts_(accounts), codec_(codec), gate_(gate) {}

    /// Letters, digits, '-', '_' and '.'. @p what: the digest of what is downloaded.
    [[nodiscard]] std::string issue(const auth::principal& who, const sha256_digest& what,
                                    time_point now) const;

    struct holder {
        /// Without the e-mail address, since a ticket is in the logs of proxies. With the limits of requests,
        /// of which none has been taken.
        auth::principal_ptr who;
        sha256_digest what{};
        std::int64_t since = 0;  ///< for check_still_admitted()
    };
    /// Errors: unauthenticated, also for an old ticket; those of check_still_admitted().
    [[nodiscard]] result<holder> redeem(std::string_view ticket, time_point now) const;

    /// What check_still_admitted() needs of a request that @p who has just been authenticated for.
    [[nodiscard]] std::int64_t admission_of(const auth::principal& who, time_point now) const;
    /// Whether @p who would still be admitted: for answers that take long. Errors: unauthenticated;
    /// unavailable where that is not known.
    [[nodiscard]] result<void> check_still_admitted(const auth::principal& who, std::int64_t since) const;

private:
    const directory& accounts_;
    const auth::token_codec& codec_;
    authenticator& gate_;
};

}  // namespace gallery::accounts
