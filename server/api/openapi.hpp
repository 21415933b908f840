// SPDX-License-Identifier: Apache-2.0
/// The server's own description of its API: OpenAPI 3.1 at /v3/api-docs, and the same as a page to read at
/// /swagger-ui. Both are without authentication, as with ThingsBoard; openapi.json is the source, and a test
/// holds it against the routes.
#pragma once

#include "http/router.hpp"

#include <string>
#include <string_view>

namespace gallery::api {

/// openapi.json as it was compiled in.
std::string_view openapi_document() noexcept;

/// The document as an HTML page without scripts. Precondition: @p document is a valid OpenAPI document.
std::string render_openapi_page(std::string_view document);

void add_openapi_routes(http::router& routes);

}  // namespace gallery::api
