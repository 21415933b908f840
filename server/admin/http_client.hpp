// SPDX-License-Identifier: Apache-2.0
/// One HTTP request and its answer, over TCP or TLS. Blocks, with a bound on how long. One thread.
#pragma once

#include "admin/address.hpp"
#include "admin/failure.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace gallery::admin {

struct http_request {
    std::string method = "GET";
    std::string target;         ///< path and query; the address's base goes in front
    std::string authorization;  ///< the header's value; empty for none
    std::string body;           ///< JSON; empty for none
};

struct http_answer {
    int status = 0;
    std::string location;
    bool may_repeat = false;  ///< the server says after how long (Retry-After)
    std::string body;
};

struct http_client {
    address where;
    std::string ca_file;               ///< instead of the system's certificates; empty for those
    std::chrono::seconds timeout{60};  ///< for connecting, for sending, and for the answer, each

    /// On a connection of its own: a person may have thought for minutes since the last one. A server's
    /// certificate that is not trusted, or is another host's, is a failure, always.
    /// Failures: unreachable, with what to do; configuration where ca_file cannot be read.
    [[nodiscard]] outcome<http_answer> send(const http_request& asked) const;
};

}  // namespace gallery::admin
