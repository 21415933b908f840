// SPDX-License-Identifier: Apache-2.0
/// Which users a principal may read and change. Pure functions.
///
/// The rules are ThingsBoard's. A system administrator manages system administrators and administrators of
/// tenants, but not users of customers. An administrator of a tenant manages all users of the tenant. Every
/// user manages the own account, except what only others may change (may_administer()).
#pragma once

#include "accounts/accounts.hpp"
#include "accounts/proof.hpp"
#include "auth/move_only.hpp"
#include "auth/principal.hpp"

#include <gallery/error.hpp>

#include <utility>

namespace gallery::accounts {

/// Whether @p who may read and rename the account, and list, create and revoke its API keys.
bool may_manage(const auth::principal& who, const user& account) noexcept;

/// Whether @p who may enable, disable and delete the account, change its role, set its password, and get its
/// activation link: as may_manage(), but never for the own account.
bool may_administer(const auth::principal& who, const user& account) noexcept;

/// Refuses a principal that uses an API key. Call it wherever a request gives access to an account: another
/// key, a later expiry, a password, an e-mail address, an activation link. API keys are stored in scripts and
/// devices and may expire soon. A stolen key must not give longer or wider access than the key itself.
/// Error: permission_denied; its text asks to sign in.
result<void> require_signed_in(const auth::principal& who);

/// Proof that a system administrator signed in with a password: for operations with which a stolen API key
/// could carry all data away. Move-only.
class signed_in_administrator : auth::move_only {
public:
    [[nodiscard]] const auth::principal& who() const noexcept { return who_.who(); }

private:
    explicit signed_in_administrator(system_administrator who) noexcept : who_(std::move(who)) {}
    friend result<signed_in_administrator> prove_signed_in_administrator(system_administrator who);
    system_administrator who_;
};

/// Error: as require_signed_in().
result<signed_in_administrator> prove_signed_in_administrator(system_administrator who);

/// For the role of a new user, and for a changed role. An API key cannot give the role of its own user: the
/// new user would have the access of the key without its expiry. Error: as require_signed_in().
result<void> may_give_role(const auth::principal& who, auth::authority role);

/// For the first password and the activation link of @p account. Allows a principal that signed in, and the
/// API key that created the user, until the user has set a password. Error: as require_signed_in().
result<void> may_give_access(const auth::principal& who, const user& account);

}  // namespace gallery::accounts
