// SPDX-License-Identifier: Apache-2.0
/// The store that the server serves from, as a switch uses it.
#pragma once

#include "mirror/active_store.hpp"

#include <gallery/error.hpp>
#include <gallery/storage_engine.hpp>

#include <chrono>
#include <cstdint>
#include <memory>

namespace gallery::mirror {

/// Threads: where() on any thread; all others on the thread of the mirror.
class served_store {
public:
    served_store() = default;
    served_store(const served_store&) = delete;
    served_store& operator=(const served_store&) = delete;
    virtual ~served_store() = default;

    /// Where it is. The identity is not part of it.
    [[nodiscard]] virtual known_store where() const = 0;

    /// Its engine with its own revisions, which an exchange does not shift. Valid until the next exchange.
    [[nodiscard]] virtual storage_engine& engine() = 0;

    /// The documents of engine(), for writes of the switch itself: they do not wait at the gate and are not
    /// counted by it.
    [[nodiscard]] virtual document_store& ungated_documents() = 0;

    /// Whether a store of this engine can take its place now. Errors: invalid_argument, unavailable.
    [[nodiscard]] virtual result<void> can_be(const target_address& other) const = 0;

    // Writes: plugins::write_gate.

    virtual void seal_writes(std::chrono::milliseconds longest) = 0;
    virtual void open_gate() = 0;
    [[nodiscard]] virtual std::uint64_t writes_under_way() const = 0;
    [[nodiscard]] virtual std::uint64_t writes_begun() const = 0;
    [[nodiscard]] virtual bool hold_on(std::uint64_t known) = 0;

    /// Calls that begin after the return are made to @p next, which is in @p place. Returns the engine
    /// before. Its last owner waits for the calls that still run on it. Precondition: can_be() that.
    virtual std::shared_ptr<storage_engine> exchange(std::shared_ptr<storage_engine> next,
                                                     known_store place) = 0;

    /// After an exchange, when the gate is open: gives the served engine its caches, and @p former, which
    /// serves no requests any more, the least that its engine allows. May block for a short time.
    virtual void move_caches(storage_engine& former, const known_store& former_place) = 0;
};

}  // namespace gallery::mirror
