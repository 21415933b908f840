// SPDX-License-Identifier: Apache-2.0
/// What concerns the server as a whole: its parameters for clients, and its health for whoever watches it.
#pragma once

#include "api/access.hpp"
#include "http/router.hpp"

#include <cstdint>
#include <functional>

namespace gallery::api {

struct system_parameters {
    std::uint64_t max_resource_size = 0;  ///< bytes, MAX_RESOURCE_SIZE; 0: no limit but the following
    std::uint64_t max_upload_size = 0;    ///< bytes that one picture can have in a request
};

class system {
public:
    /// Any I/O thread calls these at any time; they do not block.
    struct readiness {
        std::function<bool()> reads;   ///< the server is not starting or stopping
        std::function<bool()> writes;  ///< the store accepts writes
    };
    system(verify_credentials verify, system_parameters parameters, readiness ready);

    /// GET /api/system/params for signed-in users. GET /health/live and /health/ready for everybody: 200, or
    /// 503 while the server starts or stops; /health/ready?for=write also while the store accepts no writes.
    /// Their bodies contain nothing but UP or DOWN.
    void add_routes(http::router& routes);

private:
    verify_credentials verify_;
    system_parameters parameters_;
    readiness ready_;
};

}  // namespace gallery::api
