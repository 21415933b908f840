// SPDX-License-Identifier: Apache-2.0
#include "images/permissions.hpp"

#include <string>

namespace gallery::images {

result<tenant_id> permitted_tenant(const auth::principal& who, std::string_view type, image_operation what) {
    if (type != "tenant" && type != "system")
        return error{errc::invalid_argument, "The image type in the path is '" +
                                                 std::string(type.substr(0, 40)) +
                                                 "'. It takes 'tenant' or 'system'."};
    // Made only where it is the answer: this is asked with every picture that is served.
    const auto denied = [] {
        return error{errc::permission_denied, "You don't have permission to perform this operation!"};
    };
    switch (who.role) {
        case auth::authority::sys_admin:
            return system_tenant;
        case auth::authority::tenant_admin:
            if (type == "tenant") return who.tenant;
            if (what == image_operation::write) return denied();
            return system_tenant;
        case auth::authority::customer_user:
            if (what != image_operation::view) return denied();
            return type == "tenant" ? who.tenant : system_tenant;
    }
    return denied();
}

}  // namespace gallery::images
