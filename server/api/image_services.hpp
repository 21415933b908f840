// SPDX-License-Identifier: Apache-2.0
/// The endpoints of images but for their bytes (image_bytes.hpp): upload, replace, info, list, export,
/// import, publish, delete.
#pragma once

#include "accounts/tenants.hpp"
#include "api/endpoint.hpp"
#include "images/byte_budget.hpp"
#include "images/coded_bodies.hpp"
#include "images/image_service.hpp"
#include "turns/fair_pool.hpp"

#include <cstdint>
#include <span>

namespace gallery::api {

/// What the handlers use. Outlives the router. All I/O threads use it at once; nothing in it changes.
struct image_services {
    images::image_service& images;
    images::coded_bodies& coded;
    images::byte_budget& memory;       ///< for pictures that are received or exported
    fair_pool<tenant_id>& background;  ///< writes exports
    const accounts::tenants& tenants;
    verify_credentials verify;
    std::uint64_t max_picture_bytes = 0;  ///< max_upload_size()
    std::uint64_t max_resource_size = 0;  ///< MAX_RESOURCE_SIZE; 0: no limit
};

std::span<const endpoint<image_services>> image_endpoints() noexcept;
/// Of the usage of a tenant.
std::span<const endpoint<image_services>> image_usage_endpoints() noexcept;
/// Of documents that contain pictures or link to them: extract, collect, inline.
std::span<const endpoint<image_services>> image_document_endpoints() noexcept;

/// The most bytes that an uploaded picture may have.
std::uint64_t max_upload_size(const content_limits& limits);

}  // namespace gallery::api
