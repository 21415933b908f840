// SPDX-License-Identifier: Apache-2.0
/// The permissions on images: the table of roles, and the proof that it was checked.
#pragma once

#include "auth/principal.hpp"

#include <gallery/error.hpp>
#include <gallery/uuid.hpp>

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace gallery::images {

enum class image_operation : std::uint8_t {
    view,   ///< bytes of original and preview
    read,   ///< info, export, list
    write,  ///< upload, replace, rename, publish, import, delete
};

/// The table: the roles that may do @p what with the images of the system, or else of their own tenant. The
/// own tenant of a SYS_ADMIN is the system.
constexpr auth::authority_set roles_that_may(image_operation what, bool with_system_images) noexcept {
    using enum auth::authority;
    switch (what) {
        case image_operation::view:
            return {sys_admin, tenant_admin, customer_user};
        case image_operation::read:
            return {sys_admin, tenant_admin};
        case image_operation::write:
            if (with_system_images) return {sys_admin};
            return {sys_admin, tenant_admin};
    }
    return {};
}

template <image_operation What>
class image_permit;

/// Checks the permission for the images of a path. @p type is the path's segment: "system", or "tenant" for
/// the principal's own tenant, which for a SYS_ADMIN is the system. Errors: invalid_argument for another
/// type; permission_denied for a role that is not in roles_that_may().
template <image_operation What>
result<image_permit<What>> authorise_images(const auth::principal& who, std::string_view type);

/// The permission for the server's own work: installing images, erasing those of a deleted tenant. Not for
/// handlers of requests; test/layers checks this.
template <image_operation What>
image_permit<What> permit_of_the_server(tenant_id tenant) noexcept;

/// Proof of a permission on the images of one tenant. The use cases take one as an argument, so a handler
/// without the check does not compile. Move-only; for a request, only authorise_images() creates one.
template <image_operation What>
class image_permit {
public:
    image_permit(image_permit&&) noexcept = default;
    image_permit& operator=(image_permit&&) noexcept = default;
    image_permit(const image_permit&) = delete;
    image_permit& operator=(const image_permit&) = delete;
    ~image_permit() = default;

    [[nodiscard]] const tenant_id& tenant() const noexcept { return tenant_; }

    /// The permission to write includes reading, and that to read includes viewing.
    template <image_operation Stronger>
    requires(Stronger > What) image_permit(image_permit<Stronger>&& stronger)
    noexcept : tenant_(stronger.tenant()) {}

    /// For a further use case of the same request.
    [[nodiscard]] image_permit lend() const noexcept { return image_permit(tenant_); }

private:
    explicit image_permit(tenant_id tenant) noexcept : tenant_(tenant) {}
    template <image_operation Other>
    friend result<image_permit<Other>> authorise_images(const auth::principal& who, std::string_view type);
    template <image_operation Other>
    friend image_permit<Other> permit_of_the_server(tenant_id tenant) noexcept;

    tenant_id tenant_;
};

/// The tenant of the images. Errors: as authorise_images().
result<tenant_id> permitted_tenant(const auth::principal& who, std::string_view type, image_operation what);

template <image_operation What>
result<image_permit<What>> authorise_images(const auth::principal& who, std::string_view type) {
    auto tenant = permitted_tenant(who, type, What);
    if (!tenant) return std::move(tenant).error();
    return image_permit<What>(*tenant);
}

template <image_operation What>
image_permit<What> permit_of_the_server(tenant_id tenant) noexcept {
    return image_permit<What>(tenant);
}

/// Proof of the permission to see how much a tenant has stored. Move-only; only authorise_usage() creates
/// one.
class usage_permit {
public:
    usage_permit(usage_permit&&) noexcept = default;
    usage_permit& operator=(usage_permit&&) noexcept = default;
    usage_permit(const usage_permit&) = delete;
    usage_permit& operator=(const usage_permit&) = delete;
    ~usage_permit() = default;

    [[nodiscard]] const tenant_id& tenant() const noexcept { return tenant_; }

private:
    explicit usage_permit(tenant_id tenant) noexcept : tenant_(tenant) {}
    friend result<usage_permit> authorise_usage(const auth::principal& who,
                                                const std::optional<tenant_id>& tenant);

    tenant_id tenant_;
};

/// A system administrator may see the usage of any tenant, an administrator of a tenant that of the own one.
/// Without @p tenant it is the own one. Error: permission_denied.
result<usage_permit> authorise_usage(const auth::principal& who, const std::optional<tenant_id>& tenant);

using image_view_permit = image_permit<image_operation::view>;
using image_read_permit = image_permit<image_operation::read>;
using image_write_permit = image_permit<image_operation::write>;

/// For a document that links to images: a permission on the own ones, and one to read those of the system.
template <image_operation What>
struct document_permit {
    image_permit<What> own;
    image_read_permit system;
};

}  // namespace gallery::images
