// SPDX-License-Identifier: Apache-2.0
/// The server's own description of its API: OpenAPI 3.1 at /v3/api-docs, and the same as a page to read at
/// /swagger-ui. Both are without authentication, as with ThingsBoard; openapi.json is the source, and a test
/// holds it against the routes.
#pragma once

#include "api/endpoint.hpp"

#include <gallery/bytes.hpp>

#include <span>
#include <string>
#include <string_view>

namespace gallery::api {

/// openapi.json as it was compiled in.
std::string_view openapi_document() noexcept;

/// The document as an HTML page without scripts. Precondition: @p document is a valid OpenAPI document.
std::string render_openapi_page(std::string_view document);

/// What the handlers use: the document, and the page made of it once.
struct openapi_services {
    openapi_services();

    verify_credentials verify;  ///< not used: both are for everyone
    gallery::body document;
    gallery::body page;
};

std::span<const endpoint<openapi_services>> openapi_endpoints() noexcept;

}  // namespace gallery::api
