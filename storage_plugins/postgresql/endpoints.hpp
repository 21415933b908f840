// SPDX-License-Identifier: Apache-2.0
/// The servers that a connection string names.
#pragma once

#include <gallery/error.hpp>

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace gallery::postgres {

/// One server of a connection string, with everything that libpq needs to connect to it alone. libpq tries
/// several hosts by itself, but only a blocking connect moves on from one that accepts connections and then
/// does not answer.
struct endpoint {
    std::map<std::string, std::string> parameters;  ///< of libpq, "host" and "port" of one server

    [[nodiscard]] std::string host() const;
    /// The host has to be looked up: it is a name, and no address is given.
    [[nodiscard]] bool is_name() const;
    /// "host:port", for messages.
    [[nodiscard]] std::string name() const;
};

/// The servers of a libpq connection string (keywords and values, or a URI), in order. Adds what this engine
/// needs and the string does not say: a session that takes writes, and bounds for a peer that has vanished.
/// Error: invalid_argument.
result<std::vector<endpoint>> endpoints_of(const std::string& dsn, std::chrono::milliseconds timeout);

/// Addresses of a name. Blocks. Empty where there are none.
std::vector<std::string> look_up(const std::string& host);

}  // namespace gallery::postgres
