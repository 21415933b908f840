// SPDX-License-Identifier: Apache-2.0
/// The endpoints of the server itself: parameters for clients, servers of the store, health.
#pragma once

#include "api/endpoint.hpp"

#include <gallery/error.hpp>
#include <gallery/task.hpp>
#include <gallery/uuid.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace gallery::api {

/// Of the server; a tenant may have a smaller limit of its own.
struct system_parameters {
    std::uint64_t max_resource_size = 0;  ///< bytes, MAX_RESOURCE_SIZE; 0: only max_upload_size applies
    std::uint64_t max_upload_size = 0;    ///< bytes of the largest picture that a request can contain
};

/// A server that uses the store. Times are milliseconds since 1970, by that server's clock.
struct node {
    std::string id;
    std::string address;
    std::string version;
    std::int64_t started_time = 0;
    std::int64_t last_seen_time = 0;
    bool is_up = false;    ///< it was seen within the last 30 seconds
    bool is_self = false;  ///< it is the server that answers the request
};
using list_nodes = std::function<task<result<std::vector<node>>>()>;

/// A setting with another value in the configuration file than the one in use.
struct setting_change {
    std::string setting;              ///< its key, "logging.level"
    std::optional<std::string> from;  ///< secrets are masked; nothing for a path of the server's machine
    std::optional<std::string> to;
};
/// A change of the file that has no effect, because environment variables set the value.
struct overridden_setting {
    std::string setting;
    std::string variables;  ///< with ", " between them
};
struct reload_report {
    std::vector<setting_change> changed;        ///< in use now
    std::vector<setting_change> needs_restart;  ///< the old value is still in use
    std::vector<overridden_setting> overridden;
};
using reload_configuration = std::function<task<result<reload_report>>()>;

/// The services that the handlers use. They outlive the router. The functions are called by any I/O thread at
/// any time and must not block.
struct system_services {
    verify_credentials verify;
    system_parameters parameters;
    /// Bytes of an image that the tenant's own limit allows; 0: no limit.
    std::function<std::uint64_t(const tenant_id&)> own_limit;
    /// False while the server starts or stops, or while its memory is older than cluster.staleness.
    std::function<bool()> is_serving;
    std::function<bool()> accepts_writes;  ///< whether the store accepts writes
    list_nodes nodes;
    reload_configuration reload;
};

/// GET /api/system/params for authenticated users, GET /api/system/nodes and POST /api/system/reload for
/// system administrators,
/// GET /health/live and /health/ready without credentials. /health/ready returns 503 unless is_serving();
/// /health/ready?for=write also unless accepts_writes(). The bodies of both contain only UP or
/// DOWN, and with 503 the id of the request.
std::span<const endpoint<system_services>> system_endpoints() noexcept;

}  // namespace gallery::api
