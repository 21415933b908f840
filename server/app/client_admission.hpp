// SPDX-License-Identifier: Apache-2.0
/// Decides about the requests of clients that need no login, by server.public_requests_per_client.
#pragma once

#include "auth/client_limit.hpp"
#include "config/settings.hpp"
#include "http/server.hpp"

#include <atomic>
#include <cstdint>
#include <memory>

namespace gallery::app {

/// Outlives the HTTP server that uses it.
class client_admission {
public:
    /// What the HTTP server asks with these settings; empty where there is no limit. Clients keep their
    /// buckets if the rates are those of the last call. One call at a time. Precondition: check_values()
    /// found nothing wrong.
    http::admit_client by(const config::server_settings& settings);

    /// Requests that were refused since the start. Any thread.
    [[nodiscard]] std::uint64_t refused() const noexcept { return refused_.load(std::memory_order_relaxed); }

private:
    std::shared_ptr<auth::client_limit> limit_;  ///< null where there is none
    std::atomic<std::uint64_t> refused_{0};
};

}  // namespace gallery::app
