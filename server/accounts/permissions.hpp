// SPDX-License-Identifier: Apache-2.0
/// Who may look at and change which users. Pure functions.
///
/// As in ThingsBoard: a system administrator keeps system administrators and the tenants' administrators, not
/// the customers' users; a tenant's administrator keeps all users of the tenant; everybody the own account,
/// but for what only others may do (see may_decide_about).
#pragma once

#include "accounts/accounts.hpp"
#include "accounts/proof.hpp"
#include "auth/principal.hpp"

#include <gallery/error.hpp>

namespace gallery::accounts {

/// See the account and its API keys, rename it, make and revoke its keys.
bool may_keep(const auth::principal& who, const user& account) noexcept;

/// Enable, disable, delete, change the role, set the password, hand out the activation link: as may_keep(),
/// but nobody decides so about himself.
bool may_decide_about(const auth::principal& who, const user& account) noexcept;

/// What opens an account is for who signed in. An API key is in scripts and devices, where it is found, and
/// may be good for a day: whoever has it must not be able to make more of it than that, by another key, a
/// later expiry, a password, an e-mail address or an activation link. To be asked wherever one of these is
/// given. Error: permission_denied that says to sign in.
result<void> require_signed_in(const auth::principal& who);

/// To make somebody, or make of somebody, what the own user is: who signed in. An equal of its user would be
/// all that a key is, without its end. Error: as require_signed_in().
result<void> may_give_role(const auth::principal& who, auth::authority role);

/// The first password or the activation link of @p account: who signed in, and the API key that made the
/// user, until the user has chosen a password. Error: as require_signed_in().
result<void> may_let_in(const auth::principal& who, const user& account);

}  // namespace gallery::accounts
