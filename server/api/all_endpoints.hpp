// SPDX-License-Identifier: Apache-2.0
/// The whole API: every table of endpoints in one list.
#pragma once

#include "api/account_services.hpp"
#include "api/image_archives.hpp"
#include "api/image_bytes.hpp"
#include "api/image_services.hpp"
#include "api/mirror.hpp"
#include "api/openapi.hpp"
#include "api/scrub.hpp"
#include "api/system.hpp"

#include <vector>

namespace gallery::api {

struct all_services {
    system_services system;
    image_services images;
    image_bytes_services image_bytes;
    archive_services archives;
    account_services accounts;
    mirror_services mirror;
    scrub_services scrub;
    openapi_services openapi;
};

/// Adds every endpoint. @p services outlives @p routes.
void add_all_endpoints(http::router& routes, const all_services& services, const content_limits& limits);

/// Every endpoint, for tests and for what is made from the whole API.
std::vector<endpoint_facts> list_endpoints();

}  // namespace gallery::api
