// SPDX-License-Identifier: Apache-2.0
/// The limits that a tenant profile sets for its tenants. directory::limits_of() returns those of a tenant.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace gallery::accounts {

/// The members are the fields of ThingsBoard's DefaultTenantProfileConfiguration that concern images.
struct tenant_limits {
    std::uint64_t max_resource_size = 0;    ///< bytes of one image; 0: no limit of its own
    std::uint64_t max_resources_bytes = 0;  ///< bytes of all images of the tenant; 0: no limit
    std::string tenant_requests;    ///< of the whole tenant; parse_rates() accepts it; empty: no limit
    std::string customer_requests;  ///< of each customer; parse_rates() accepts it; empty: no limit

    friend bool operator==(const tenant_limits&, const tenant_limits&) = default;
};

using tenant_limits_ptr = std::shared_ptr<const tenant_limits>;

}  // namespace gallery::accounts
