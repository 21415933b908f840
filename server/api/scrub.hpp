// SPDX-License-Identifier: Apache-2.0
/// The endpoints of the scrub, which reads every stored image again to find damage.
#pragma once

#include "accounts/permissions.hpp"
#include "api/endpoint.hpp"
#include "scrub/service.hpp"

#include <functional>
#include <span>

namespace gallery::api {

/// The services that the handlers use. They outlive the router.
struct scrub_services {
    verify_credentials verify;
    scrub::service* scrub = nullptr;    ///< never null for requests
    std::function<bool()> has_started;  ///< the server
};

/// GET /api/system/scrub, POST .../start and .../stop; for system administrators.
std::span<const endpoint<scrub_services>> scrub_endpoints() noexcept;

}  // namespace gallery::api
