// SPDX-License-Identifier: Apache-2.0
/// Logging in and what follows from it: tokens, refreshing, logging out, the own password, activation.
///
/// Threads: all coroutines on any I/O thread. Time comes from the directory's clock.
#pragma once

#include "accounts/directory.hpp"
#include "auth/jwt.hpp"
#include "auth/login_limiter.hpp"
#include "auth/password.hpp"
#include "auth/principal.hpp"
#include "auth/rate_limit.hpp"

#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace gallery::accounts {

struct login_options {
    std::chrono::seconds access_lifetime{9'000};
    std::chrono::seconds refresh_lifetime{604'800};
    /// How long a refresh token that has been used still buys another pair of the same session: for two tabs
    /// that refresh at once, and for a client that repeats a request whose answer was lost. Used later than
    /// that, it has been stolen or copied, and the whole session ends.
    std::chrono::seconds refresh_grace{30};
};

struct token_pair {
    std::string token;
    std::string refresh_token;
};

class logins {
public:
    /// All of them outlive this.
    logins(directory& accounts, const auth::token_codec& codec, auth::password_service& passwords,
           auth::login_limiter& limiter, login_options options = {});

    /// Errors: unauthenticated "Invalid username or password" (with the same text after the same time,
    /// whether the name or the password is wrong) and, with the right password only, "User account is not
    /// active"; too_many_requests; busy.
    task<result<token_pair>> log_in(std::string username, std::string password, std::string address);

    struct login_counters {
        std::uint64_t succeeded = 0;  ///< log_in()
        std::uint64_t failed = 0;     ///< a wrong name or password, or an account that is not active
        std::uint64_t held_off = 0;   ///< refused without a look at the password, after too many failures
    };
    /// Outcomes of log_in() since the start, with the failures of change_password(). Any thread.
    [[nodiscard]] login_counters counters() const noexcept;

    /// A session refreshes its tokens about once in the lifetime of an access token. Each refresh is
    /// remembered until the refresh token expires, by every server, so that one session must not make many.
    static constexpr int refreshes_at_once = 30;

    /// Spends the refresh token. Errors: unauthenticated; token_expired; too_many_requests for a session that
    /// refreshes more than refreshes_at_once times, and then more than four times in the lifetime of an
    /// access token.
    task<result<token_pair>> refresh(std::string refresh_token);

    /// Ends the session of this principal, or all sessions of the user. With an API key, which has no
    /// session, only the latter does anything.
    task<result<void>> log_out(auth::principal_ptr who, bool everywhere);

    /// Ends all other sessions of the user and begins a new one. Errors: invalid_argument for a wrong current
    /// password and for a new one that the policy refuses; permission_denied for who has no account here.
    task<result<token_pair>> change_password(auth::principal_ptr who, std::string current, std::string chosen,
                                             std::string address);

    /// Whose it is. Errors: invalid_argument.
    [[nodiscard]] result<user_ptr> check_activation(std::string_view token) const;
    /// The same, with what other servers have written up to now. Further error: unavailable.
    task<result<user_ptr>> follow_activation(std::string token);
    /// Errors: as check_activation(), and a password that the policy refuses.
    task<result<token_pair>> activate(std::string token, std::string password);

    /// A pair for a session; a new session where @p session is empty.
    [[nodiscard]] token_pair issue(const user& account, std::string session) const;

    [[nodiscard]] const login_options& options() const noexcept { return options_; }

private:
    /// Error: too_many_requests, which is counted.
    result<auth::login_limiter::attempt> begin_attempt(std::string_view name, std::string_view address);
    /// Checks a password against a hash, and counts the outcome of the attempt. Returns the better hash of
    /// auth::password_service. Error: @p wrong if it does not match.
    task<result<std::string>> check_password(auth::login_limiter::attempt attempted,
                                             auth::password_service::turns::turn turn, std::string password,
                                             std::string stored, error wrong);

    directory& accounts_;
    const auth::token_codec& codec_;
    auth::password_service& passwords_;
    auth::login_limiter& limiter_;
    const login_options options_;
    auth::rate_limit refreshes_;
    std::atomic<std::uint64_t> succeeded_{0};
    std::atomic<std::uint64_t> failed_{0};
    std::atomic<std::uint64_t> held_off_{0};
};

}  // namespace gallery::accounts
