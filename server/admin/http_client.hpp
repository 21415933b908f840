// SPDX-License-Identifier: Apache-2.0
/// One HTTP request and its answer, over TCP or TLS. Blocks, with a bound on how long. One thread.
#pragma once

#include "admin/address.hpp"
#include "admin/failure.hpp"
#include "http/client.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gallery::admin {

struct http_request {
    std::string method = "GET";
    std::string target;                             ///< path and query; the address's base goes in front
    std::string authorization;                      ///< the header's value; empty for none
    std::string body;                               ///< empty for none
    std::string content_type = "application/json";  ///< of the body
    std::vector<std::pair<std::string, std::string>> fields = {};  ///< more header fields
};

struct http_answer {
    int status = 0;
    std::string location;
    bool may_repeat = false;             ///< the server says after how long (Retry-After)
    std::chrono::seconds retry_after{};  ///< that time, where it is a number
    std::string etag;                    ///< the opaque part of its ETag, weak or strong
    std::string body;
};

class http_client {
public:
    address where;
    std::string ca_file;               ///< instead of the system's certificates; empty for those
    std::chrono::seconds timeout{60};  ///< for connecting, for sending, and for the answer, each
    /// For many requests in a row. Otherwise each has a connection of its own: a person may have thought for
    /// minutes since the last one.
    bool keep_alive = false;
    std::string url_setting = "--url or GALLERY_URL";  ///< what failures say that names the address

    http_client() = default;
    /// A copy has no connection yet, so that another thread can use it.
    http_client(const http_client& other);
    http_client& operator=(const http_client&) = delete;
    http_client(http_client&&) noexcept = default;
    http_client& operator=(http_client&&) noexcept = default;
    ~http_client();

    /// A server's certificate that is not trusted, or is another host's, is a failure, always. A kept
    /// connection that the server has closed is opened again where the request may be repeated (not POST).
    /// Failures: unreachable, with what to do; configuration where ca_file cannot be read.
    [[nodiscard]] outcome<http_answer> send(const http_request& asked);

private:
    std::unique_ptr<http::client> kept_;
};

}  // namespace gallery::admin
