// SPDX-License-Identifier: Apache-2.0
/// The use cases of users. permissions.hpp states which users a principal manages.
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

/// Proof of the permission to read and rename a user and to manage the user's API keys (may_manage()).
/// Move-only; only the use cases create one.
class managed_user : auth::move_only {
public:
    [[nodiscard]] const user& account() const noexcept { return *account_; }
    [[nodiscard]] const auth::principal& who() const noexcept { return *who_; }

protected:
    managed_user(auth::principal_ptr who, user_ptr account) noexcept
        : who_(std::move(who)), account_(std::move(account)) {}

    friend class users;
    auth::principal_ptr who_;
    user_ptr account_;
};

/// Proof of the permission to disable, enable and delete a user (may_administer()).
class administered_user : public managed_user {
    using managed_user::managed_user;
    friend class users;
};

/// Proof of the permission to give a user access (may_give_access(), besides may_administer()).
class user_to_admit : public administered_user {
    explicit user_to_admit(administered_user&& of) noexcept : administered_user(std::move(of)) {}
    friend class users;
};

class users {
public:
    /// Both outlive this.
    users(directory& all, user_credentials& credentials) : all_(all), credentials_(credentials) {}

    /// The sender's own account; null for a user whose account is on another server.
    [[nodiscard]] user_ptr own(const anybody& who) const { return all_.find_user(who.who().user); }

    /// Errors: not_found; permission_denied.
    result<managed_user> manage(anybody who, user_id id) const;
    result<administered_user> administer(anybody who, user_id id) const;
    /// Error: permission_denied, whose message asks the user to sign in.
    static result<user_to_admit> admit(administered_user of);

    /// Creates a user that must be activated, or changes one. As in ThingsBoard, an administrator of a tenant
    /// creates users of the own tenant, whatever tenant was sent. Errors: not_found; permission_denied;
    /// version_conflict; already_exists for an e-mail address that is taken.
    task<result<user_ptr>> save(anybody who, submitted_user sent);
    /// Error: permission_denied for oneself.
    task<result<void>> erase(managed_user of);
    task<result<void>> set_enabled(administered_user of, bool enabled);
    task<result<void>> set_password(user_to_admit of, std::string chosen);
    /// The token of the activation link. Error: invalid_argument for a user who is active.
    task<result<std::string>> activation_token(user_to_admit of);

    /// The users that the sender manages; for a customer's user, the users of the same customer.
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
