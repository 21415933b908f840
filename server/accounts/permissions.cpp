// SPDX-License-Identifier: Apache-2.0
#include "accounts/permissions.hpp"

namespace gallery::accounts {

error permission_denied() {
    return {errc::permission_denied, "You don't have permission to perform this operation!"};
}

bool may_manage(const auth::principal& who, const user& account) noexcept {
    return who.user == account.id || may_administer(who, account);
}

bool may_administer(const auth::principal& who, const user& account) noexcept {
    if (who.user == account.id) return false;
    switch (who.role) {
        case auth::authority::sys_admin:
            return account.role != auth::authority::customer_user;
        case auth::authority::tenant_admin:
            return account.owner == who.tenant;
        case auth::authority::customer_user:
            return false;
    }
    return false;
}

result<void> require_signed_in(const auth::principal& who) {
    if (!who.api_key) return {};
    return error{errc::permission_denied,
                 "An API key cannot do this, because a stolen key could otherwise be used to take over "
                 "accounts. Sign in with e-mail address and password"};
}

result<signed_in_administrator> prove_signed_in_administrator(system_administrator who) {
    if (auto may = require_signed_in(who.who()); !may) return may.error();
    return signed_in_administrator(std::move(who));
}

result<void> may_give_role(const auth::principal& who, auth::authority role) {
    if (role != who.role) return {};
    return require_signed_in(who);
}

result<void> may_give_access(const auth::principal& who, const user& account) {
    if (account.pending && account.pending->made_with == who.api_key) return {};
    return require_signed_in(who);
}

}  // namespace gallery::accounts
