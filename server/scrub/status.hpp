// SPDX-License-Identifier: Apache-2.0
/// What is known about the scrub of a server.
#pragma once

#include "mirror/shared_status.hpp"
#include "scrub/saved.hpp"

#include <cstdint>
#include <string>

namespace gallery::scrub {

enum class scrub_state : std::uint8_t {
    idle,       ///< waits until the next pass is due, or for a command
    running,    ///< reads
    elsewhere,  ///< another server of the cluster reads; the figures are those that it stored last
};

struct scrub_status {
    scrub_state state = scrub_state::idle;
    saved_scrub stored;  ///< what is stored, with `done` up to the last body
    /// When the pass in progress was started, or else the next one is due; 0: none is. Milliseconds since
    /// 1970-01-01T00:00Z.
    std::int64_t due_at = 0;
    std::uint64_t rate = 0;    ///< in use, bytes per second; 0: no limit
    std::uint64_t bodies = 0;  ///< read since the start of the server
    std::uint64_t bytes = 0;   ///< of them
    std::string problem;       ///< why nothing is read at the moment, or the last pass is not complete
    /// Nothing can be read at the moment, or a pass could not read a part of the store. False for a pass that
    /// an operator has stopped.
    bool is_incomplete = false;
};

using status_board = mirror::shared_status<scrub_status>;

}  // namespace gallery::scrub
