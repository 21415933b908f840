// SPDX-License-Identifier: Apache-2.0
/// Sessions on the primary: finding it, setting a session up, and proving that its answers can be believed.
#pragma once

#include "connection.hpp"
#include "environment.hpp"

#include <cstdint>
#include <string>

namespace gallery::postgres {

enum class durability : std::uint8_t {
    synchronous,   ///< a commit waits for the standbys
    asynchronous,  ///< it does not; for what a later synchronous commit covers, and for reading
};

/// What was found about the server.
struct server_facts {
    /// Identifies the database cluster and its timeline, which grows with each promotion of a standby.
    std::string server;
    std::int64_t timeline = 0;
    /// Why acknowledged writes would be lost with the primary; empty where they would not.
    std::string unreplicated;
    bool syncs = true;  ///< the server's setting fsync
    std::string encoding;
};

/// Why commits under these settings are not replicated; empty where they are.
std::string why_unreplicated(std::string_view synchronous_standby_names, std::string_view synchronous_commit);

/// Remembers which server was the primary last and tries it first. Used on the engine's thread.
class dialer {
public:
    explicit dialer(environment& in) : in_(in) {}

    /// Connects to the primary and sets the session up; not in pipeline mode. Error: unavailable.
    task<result<server_facts>> dial(connection& on, durability how);

    /// dial() with the statements prepared, in pipeline mode.
    task<result<server_facts>> open(connection& on, durability how);

    /// open() of a synchronous session, and a commit on it that the standbys have confirmed. After a crash a
    /// server shows what it had not replicated; the confirmed commit proves that everything before it is
    /// replicated, and that the server is the primary still. Also begins a new epoch of the store where
    /// another server, or this one before it was promoted, has written it.
    task<result<server_facts>> open_believed(connection& on);

private:
    task<result<server_facts>> set_up(connection& on, durability how);

    environment& in_;
    std::size_t preferred_ = 0;
};

}  // namespace gallery::postgres
