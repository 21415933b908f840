// SPDX-License-Identifier: Apache-2.0
/// The use cases of users; permissions.hpp states who manages whom.
///
/// Threads: any number of calls on any I/O threads. Errors, besides those named: those of the directory.
#pragma once

#include "accounts/directory.hpp"
#include "accounts/proof.hpp"
#include "accounts/submitted.hpp"
#include "accounts/user_credentials.hpp"

#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <string>
#include <utility>
#include <vector>

namespace gallery::accounts {

/// Proof of the permission to read and rename a user and to manage the user's API keys (may_keep()).
/// Move-only; only the use cases create one.
class kept_user : auth::move_only {
public:
    [[nodiscard]] const user& account() const noexcept { return *account_; }
    [[nodiscard]] const auth::principal& who() const noexcept { return *who_; }

protected:
    kept_user(auth::principal_ptr who, user_ptr account) noexcept
        : who_(std::move(who)), account_(std::move(account)) {}

    friend class users;
    auth::principal_ptr who_;
    user_ptr account_;
};

/// Proof of the permission to disable, enable and delete a user (may_decide_about()).
class decidable_user : public kept_user {
    using kept_user::kept_user;
    friend class users;
};

/// Proof of the permission to give a user access (may_let_in(), besides may_decide_about()).
class admissible_user : public decidable_user {
    explicit admissible_user(decidable_user&& of) noexcept : decidable_user(std::move(of)) {}
    friend class users;
};

class users {
public:
    /// Both outlive this.
    users(directory& all, user_credentials& credentials) : all_(all), credentials_(credentials) {}

    /// The sender's own account; null for a user whose account is on another server.
    [[nodiscard]] user_ptr own(const anybody& who) const { return all_.find_user(who.who().user); }

    /// Errors: not_found; permission_denied.
    result<kept_user> keep(anybody who, user_id id) const;
    result<decidable_user> decide(anybody who, user_id id) const;
    /// Error: permission_denied that says to sign in.
    static result<admissible_user> admit(decidable_user of);

    /// Creates a user that has to be activated, or changes one. A tenant's administrator makes users of the
    /// own tenant only, whatever tenant was sent, as in ThingsBoard. Errors: not_found; permission_denied;
    /// version_conflict; already_exists for an e-mail address that is taken.
    task<result<user_ptr>> save(anybody who, submitted_user sent);
    /// Error: permission_denied for oneself.
    task<result<void>> erase(kept_user of);
    task<result<void>> set_enabled(decidable_user of, bool enabled);
    task<result<void>> set_password(admissible_user of, std::string chosen);
    /// The token of the activation link. Error: invalid_argument for a user who is active.
    task<result<std::string>> activation_token(admissible_user of);

    /// All whom the sender keeps; a customer's user sees those of the same customer.
    [[nodiscard]] std::vector<user_ptr> list(const anybody& who) const;
    /// The administrators of a tenant. Error: not_found.
    result<std::vector<user_ptr>> administrators_of(const system_administrator& who, tenant_id of) const;
    /// Errors: not_found; permission_denied.
    result<std::vector<user_ptr>> of_customer(const tenant_administrator& who, customer_id of) const;

private:
    using rule = bool (*)(const auth::principal&, const user&) noexcept;
    result<user_ptr> find(const anybody& who, user_id id, rule allowed) const;
    result<user> new_user(const auth::principal& who, submitted_user sent) const;

    directory& all_;
    user_credentials& credentials_;
};

}  // namespace gallery::accounts
