// SPDX-License-Identifier: Apache-2.0
/// The endpoints that concern the server as a whole: its parameters for clients, and its health.
#pragma once

#include "api/endpoint.hpp"

#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace gallery::api {

struct system_parameters {
    std::uint64_t max_resource_size = 0;  ///< bytes, MAX_RESOURCE_SIZE; 0: no limit but the following
    std::uint64_t max_upload_size = 0;    ///< bytes that one picture can have in a request
};

/// A server on the store. Times are milliseconds since 1970, by that server's clock.
struct node {
    std::string id;
    std::string address;
    std::string version;
    std::int64_t started_time = 0;
    std::int64_t last_seen_time = 0;
    bool is_up = false;    ///< it was seen within the last half minute
    bool is_self = false;  ///< it is the one that answers
};
using list_nodes = std::function<task<result<std::vector<node>>>()>;

/// What the handlers use. Outlives the router. Any I/O thread calls the functions at any time; they do not
/// block.
struct system_services {
    verify_credentials verify;
    system_parameters parameters;
    std::function<bool()> is_serving;      ///< the server is not starting or stopping, and up to date
    std::function<bool()> accepts_writes;  ///< the store accepts writes
    list_nodes nodes;
};

/// GET /api/system/params for signed-in users, GET /api/system/nodes for system administrators. GET
/// /health/live and /health/ready for everybody: 200, or 503 while the server starts or stops, or does not
/// know what other servers on the store have changed; /health/ready?for=write also while the store accepts no
/// writes. Their bodies contain nothing but UP or DOWN.
std::span<const endpoint<system_services>> system_endpoints() noexcept;

}  // namespace gallery::api
