// SPDX-License-Identifier: Apache-2.0
/// The endpoints that return image bytes: original, preview, public link. They are the server's hot path.
#pragma once

#include "api/endpoint.hpp"
#include "api/image_answer.hpp"
#include "cache/etag_cache.hpp"
#include "images/byte_budget.hpp"
#include "images/coded_bodies.hpp"
#include "images/image_service.hpp"

#include <span>

namespace gallery::api {

/// The services that the handlers use. Thread-safe; they outlive the router.
struct image_bytes_services {
    images::image_service& images;
    cache::etag_cache& etags;
    images::coded_bodies& coded;
    images::byte_budget& memory;  ///< for images that are sent and are not in the storage's memory
    verify_credentials verify;
    image_answers answers;
};

/// GET /api/images/{type}/{key}, .../preview and /api/images/public/{publicResourceKey}.
std::span<const endpoint<image_bytes_services>> image_bytes_endpoints() noexcept;

}  // namespace gallery::api
