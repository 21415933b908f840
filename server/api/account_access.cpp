#include "api/account_access.hpp"

namespace gallery::api {

bool may_keep(const auth::principal& who, const auth::user& account) noexcept {
    return who.user == account.id || may_decide_about(who, account);
}

bool may_decide_about(const auth::principal& who, const auth::user& account) noexcept {
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

}  // namespace gallery::api
