// SPDX-License-Identifier: Apache-2.0
/// Connections for image bytes and upkeep.
#pragma once

#include "session.hpp"
#include "signal.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gallery::postgres {

/// Commits on them do not wait for the standbys. Used on the engine's thread.
class pool {
public:
    /// @p followed: the server (server_facts::server) whose feed is read, empty where none is. Connections to
    /// another one are not used: a primary that was replaced may still answer.
    pool(environment& in, dialer& servers, std::function<std::string()> followed)
        : in_(in), servers_(servers), followed_(std::move(followed)) {}

    /// Runs a batch on the next free connection, in order of arrival. Where the connection is lost, or none
    /// can be made, it is tried again until the timeout: the batch has to be one that may happen twice.
    task<answer> run(batch what) { return run(std::move(what), in_.chosen.timeout); }
    task<answer> run(batch what, std::chrono::milliseconds within);

    [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }
    [[nodiscard]] std::size_t open() const noexcept { return made_ - idle_.size(); }

    void stop();

private:
    using connection_ptr = std::unique_ptr<connection>;
    task<connection_ptr> acquire();
    void release(connection_ptr one);

    environment& in_;
    dialer& servers_;
    std::function<std::string()> followed_;
    std::vector<connection_ptr> idle_;
    std::vector<connection*> busy_;
    std::deque<resumption<connection_ptr>> waiting_;
    std::size_t made_ = 0;
    bool stopping_ = false;
};

}  // namespace gallery::postgres
