// SPDX-License-Identifier: Apache-2.0
/// Listening sockets.
#pragma once

#include "http/server.hpp"

#include <gallery/error.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gallery::http {

/// Descriptors of listening sockets; closes those that were not taken.
struct listening_sockets {
    std::vector<int> descriptors;
    bool is_v6 = false;
    std::uint16_t port = 0;

    listening_sockets() = default;
    listening_sockets(listening_sockets&& other) noexcept;
    listening_sockets& operator=(listening_sockets&&) = delete;
    ~listening_sockets();
    /// Hands one over to the caller.
    [[nodiscard]] int take(std::size_t index) noexcept;
};

/// @p count sockets that share address and port (SO_REUSEPORT), so that the kernel distributes connections;
/// they do not block. A port that another process listens on is refused, although SO_REUSEPORT would share
/// it. Errors: invalid_argument for a malformed address, unavailable if binding fails; with address, port,
/// reason and remedy. @p log gets a line if the congestion control is not available.
result<listening_sockets> open_listeners(const server_options& options, std::size_t count);

}  // namespace gallery::http
