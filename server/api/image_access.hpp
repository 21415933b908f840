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

/// The own images, and reading those of the system: of a document that links to both.
template <images::image_operation What>
struct images_of_document {};

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

template <images::image_operation What>
struct access_of<images_of_document<What>> {
    using proof = images::document_permit<What>;
    static constexpr access_rule rule = access_of<own_images<What>>::rule;
    static result<proof> check(const auth::principal_ptr& who, const http::request&) {
        auto own = images::authorise_images<What>(*who, "tenant");
        if (!own) return std::move(own).error();
        auto of_system = images::authorise_images<images::image_operation::read>(*who, "system");
        if (!of_system) return std::move(of_system).error();
        return proof{std::move(*own), std::move(*of_system)};
    }
};

}  // namespace gallery::api
