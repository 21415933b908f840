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
    /// @p ready is asked by any I/O thread at any time and does not block.
    system(verify_credentials verify, system_parameters parameters, std::function<bool()> ready);

    /// GET /api/system/params for whoever is signed in; GET /health/live and /health/ready for everybody,
    /// which say nothing but whether: 200, or 503 while the server starts or stops.
    void add_routes(http::router& routes);

private:
    verify_credentials verify_;
    system_parameters parameters_;
    std::function<bool()> ready_;
};

}  // namespace gallery::api
