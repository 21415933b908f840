// SPDX-License-Identifier: Apache-2.0
#include "images/permissions.hpp"

#include <array>
#include <cstddef>
#include <string>

namespace gallery::images {
namespace {

// roles_that_may() for each operation and both kinds of images: asked with every image that is served.
constexpr auto allowed_roles = [] {
    std::array<std::array<auth::authority_set, 2>, 3> table;
    for (const auto what : {image_operation::view, image_operation::read, image_operation::write}) {
        for (const bool of_system : {false, true})
            table[static_cast<std::size_t>(what)][of_system] = roles_that_may(what, of_system);
    }
    return table;
}();

error denied() {
    return {errc::permission_denied, "You don't have permission to perform this operation!"};
}

}  // namespace

result<usage_permit> authorise_usage(const auth::principal& who, const std::optional<tenant_id>& tenant) {
    const bool is_own = !tenant || *tenant == who.tenant;
    if (who.role == auth::authority::sys_admin || (who.role == auth::authority::tenant_admin && is_own))
        return usage_permit(tenant.value_or(who.tenant));
    return denied();
}

result<tenant_id> permitted_tenant(const auth::principal& who, std::string_view type, image_operation what) {
    const bool of_system = type == "system";
    if (!of_system && type != "tenant")
        return error{errc::invalid_argument, "The image type in the path is '" +
                                                 std::string(type.substr(0, 40)) +
                                                 "'. It takes 'tenant' or 'system'."};
    if (!allowed_roles[static_cast<std::size_t>(what)][of_system].contains(who.role)) return denied();
    return of_system || who.role == auth::authority::sys_admin ? system_tenant : who.tenant;
}

}  // namespace gallery::images
