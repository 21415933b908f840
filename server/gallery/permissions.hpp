/// Who may do what with which images: the table in one place.
#pragma once

#include "auth/principal.hpp"

#include <gallery/error.hpp>
#include <gallery/uuid.hpp>

#include <cstdint>
#include <string_view>

namespace gallery::service {

enum class image_operation : std::uint8_t {
    view,   ///< bytes of original and preview
    read,   ///< info, export, list
    write,  ///< upload, replace, rename, publish, import, delete
};

/// Whose images a path means, if the principal may do that with them. @p type is the path's segment:
/// "tenant" means the principal's own tenant, which for a SYS_ADMIN is the system. Errors: invalid_argument
/// for another type, permission_denied.
///
/// | | SYS_ADMIN | TENANT_ADMIN | CUSTOMER_USER |
/// | system images | all | view, read | view |
/// | own tenant's | as system | all | view |
result<tenant_id> authorise_images(const auth::principal& who, std::string_view type, image_operation what);

}  // namespace gallery::service
