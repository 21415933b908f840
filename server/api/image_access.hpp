// SPDX-License-Identifier: Apache-2.0
/// The accesses of the image endpoints: whose images a request is about, and what it may do with them.
#pragma once

#include "api/endpoint.hpp"
#include "images/permissions.hpp"

namespace gallery::api {

/// The images that {type}, the first parameter of the path, names.
template <images::image_operation What>
struct images_in_path {};

/// The sender's own images: the tenant's or, for a SYS_ADMIN, the system's.
template <images::image_operation What>
struct own_images {};

template <images::image_operation What>
struct access_of<images_in_path<What>> {
    using proof = images::image_permit<What>;
    static constexpr access_rule rule{.roles = images::roles_that_may(What, false),
                                      .on_system_images = images::roles_that_may(What, true)};
    static result<proof> check(const auth::principal_ptr& who, const http::request& message) {
        return images::authorise_images<What>(*who, message.param(0));
    }
};

template <images::image_operation What>
struct access_of<own_images<What>> {
    using proof = images::image_permit<What>;
    static constexpr access_rule rule{.roles = images::roles_that_may(What, false),
                                      .on_system_images = images::roles_that_may(What, false)};
    static result<proof> check(const auth::principal_ptr& who, const http::request&) {
        return images::authorise_images<What>(*who, "tenant");
    }
};

}  // namespace gallery::api
