// SPDX-License-Identifier: Apache-2.0
/// Where a server is. Pure.
#pragma once

#include <gallery/error.hpp>

#include <string>
#include <string_view>

namespace gallery::admin {

struct address {
    bool tls = false;
    std::string host;  ///< a name or an IP address; IPv6 without brackets
    std::string port;
    std::string authority;  ///< host and port as a Host header has them
    std::string base;       ///< a path in front of the server's own; empty or "/path"
    std::string text;       ///< the whole, as people read it

    /// Nobody else can read along on the way.
    [[nodiscard]] bool is_this_machine() const noexcept;
};

/// "http://host:port", "https://[::1]", with a path where a proxy serves the gallery under one. Error:
/// invalid_argument. A URL with a password in it is refused: others can read command lines.
result<address> parse_address(std::string_view url);

}  // namespace gallery::admin
