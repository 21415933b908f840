// SPDX-License-Identifier: Apache-2.0
/// What an administrator gives or takes of another user's means to sign in: password, activation link, and
/// whether the account is enabled.
///
/// Threads: all coroutines on any I/O thread. Time comes from the directory's clock.
#pragma once

#include "accounts/directory.hpp"
#include "auth/jwt.hpp"
#include "auth/password.hpp"

#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace gallery::accounts {

/// Makes every token issued so far invalid. @p now_ms: milliseconds since 1970. Later than the last time even
/// within one second.
void end_all_sessions(user& account, std::int64_t now_ms);

/// What proves that an activation link came from this server.
std::string activation_mac(const auth::token_codec& codec, user_id id, std::string_view nonce);

class user_credentials {
public:
    /// All of them outlive this.
    user_credentials(directory& all, const auth::token_codec& codec, auth::password_service& passwords,
                     std::chrono::hours activation_lifetime = std::chrono::hours(24));

    /// What must hold of an account at the moment of the write. Its error is the answer. Empty: nothing.
    using condition = std::function<result<void>(const user&)>;

    /// Activates the account and ends its sessions. Errors: not_found; invalid_argument for a password that
    /// the policy refuses.
    task<result<void>> set_password(user_id id, std::string chosen, condition allowed = {});

    /// Disabling ends all sessions, and makes an activation link that was handed out worthless: the user gets
    /// in by the next one only, when an administrator asks for it. Error: not_found.
    task<result<void>> set_enabled(user_id id, bool enabled);

    /// The token of the activation link, a new one where the last has expired. Errors: not_found,
    /// invalid_argument "User is already activated!".
    task<result<std::string>> activation_token(user_id id, condition allowed = {});

    /// What a new account needs to be activated; put into user::pending.
    [[nodiscard]] activation begin_activation() const;

private:
    directory& all_;
    const auth::token_codec& codec_;
    auth::password_service& passwords_;
    const std::chrono::hours activation_lifetime_;
};

}  // namespace gallery::accounts
