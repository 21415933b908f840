// SPDX-License-Identifier: Apache-2.0
/// The other servers on a store that several can share, as a mirror and a switch depend on them.
#pragma once

#include "mirror/state_file.hpp"

#include <gallery/error.hpp>
#include <gallery/storage_engine.hpp>
#include <gallery/task.hpp>

#include <string>

namespace gallery::mirror {

/// Threads: all members on the thread of the mirror. Every store that is concerned is one that can be shared.
class other_servers {
public:
    other_servers() = default;
    other_servers(const other_servers&) = delete;
    other_servers& operator=(const other_servers&) = delete;
    virtual ~other_servers() = default;

    /// By this, a store and the others recognise this server. The same after a restart.
    [[nodiscard]] virtual std::string id() const = 0;
    /// Whether several servers can have a store of this engine open.
    [[nodiscard]] virtual bool can_share(const target_address& store) const = 0;

    // One server at a time has a mirror of a store.

    /// Takes or keeps this server's turn, for a minute. False: another server has it. True for a store that
    /// cannot be shared. Errors: those of the store.
    virtual task<result<bool>> take_turn() = 0;
    /// Errors: those of the store.
    virtual task<result<void>> end_turn() = 0;

    // A switch.

    /// Errors: busy while another server uses the store of this one, with its address; those of the store.
    virtual task<result<void>> check_alone() = 0;
    /// The same for another store.
    virtual task<result<void>> check_absent(storage_engine& on) = 0;
    /// Makes this server one of those that check_alone() of others finds, before it serves the store.
    /// Errors: unavailable if the store cannot be served; those of the store.
    virtual task<result<void>> join(storage_engine& on) = 0;
    virtual task<result<void>> leave(storage_engine& on) = 0;
    /// Returns when the memory of this server contains everything that others have written to its store.
    /// Errors: unavailable, those of the store.
    virtual task<result<void>> read_theirs() = 0;
    /// After an exchange: others may write to the store of the server when this returns. Its memory follows
    /// them from then on, also after an error. Errors: as read_theirs().
    virtual task<result<void>> admit() = 0;
};

}  // namespace gallery::mirror
