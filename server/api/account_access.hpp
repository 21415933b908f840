/// Who may look at and change which users. Pure functions.
///
/// As in ThingsBoard: a system administrator keeps system administrators and the tenants' administrators, not
/// the customers' users; a tenant's administrator keeps all users of the tenant; everybody the own account,
/// but for what only others may do (see may_decide_about).
#pragma once

#include "auth/accounts.hpp"
#include "auth/principal.hpp"

namespace gallery::api {

/// See the account and its API keys, rename it, make and revoke its keys.
bool may_keep(const auth::principal& who, const auth::user& account) noexcept;

/// Enable, disable, delete, change the role, set the password, hand out the activation link: as may_keep(),
/// but nobody decides so about himself.
bool may_decide_about(const auth::principal& who, const auth::user& account) noexcept;

}  // namespace gallery::api
