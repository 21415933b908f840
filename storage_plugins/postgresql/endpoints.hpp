// SPDX-License-Identifier: Apache-2.0
/// The servers that a connection string names.
#pragma once

#include <gallery/error.hpp>
#include <gallery/plugin.hpp>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gallery::postgres {

/// One server of a connection string, with everything that libpq needs to connect to it alone. libpq tries
/// several hosts by itself, but only a blocking connect moves on from one that accepts connections and then
/// does not answer.
struct endpoint {
    std::map<std::string, std::string> parameters;  ///< of libpq, "host" and "port" of one server
    bool is_confined = false;                       ///< libpq may use nothing but the parameters

    [[nodiscard]] std::string host() const;
    /// The host has to be looked up: it is a name, and no address is given.
    [[nodiscard]] bool is_name() const;
    /// "host:port", for messages.
    [[nodiscard]] std::string name() const;
    /// For libpq. Of a confined endpoint it contains every keyword that libpq would look up elsewhere.
    [[nodiscard]] std::string connection_string() const;
};

/// The servers of a libpq connection string (keywords and values, or a URI), in order. Adds what this engine
/// needs and the string does not set: a session that takes writes, and bounds for a peer that has vanished.
/// Errors: invalid_argument; permission_denied for a host that @p confined does not contain.
result<std::vector<endpoint>> endpoints_of(const std::string& dsn, std::chrono::milliseconds timeout,
                                           const std::optional<confinement>& confined = std::nullopt);

/// Writes the certificates (PEM) to a file in @p folder, which the servers' certificates are verified with.
/// Errors: io_error; invalid_argument if the connection string names such a file itself.
result<void> use_root_certificates(const std::string& certificates, const std::string& folder,
                                   std::vector<endpoint>& servers);

/// Addresses of a name. Blocks. Empty where there are none.
std::vector<std::string> look_up(const std::string& host);

}  // namespace gallery::postgres
