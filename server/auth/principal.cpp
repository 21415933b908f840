// SPDX-License-Identifier: Apache-2.0
#include "auth/principal.hpp"

namespace gallery::auth {

std::string_view name_of(authority role) noexcept {
    switch (role) {
        case authority::sys_admin:
            return "SYS_ADMIN";
        case authority::tenant_admin:
            return "TENANT_ADMIN";
        case authority::customer_user:
            return "CUSTOMER_USER";
    }
    return "CUSTOMER_USER";
}

std::optional<authority> parse_authority(std::string_view text) noexcept {
    if (text == "SYS_ADMIN") return authority::sys_admin;
    if (text == "TENANT_ADMIN") return authority::tenant_admin;
    if (text == "CUSTOMER_USER") return authority::customer_user;
    return std::nullopt;
}

}  // namespace gallery::auth
