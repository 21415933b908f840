// SPDX-License-Identifier: Apache-2.0
/// A small battery that an opened store has to pass before anything is served from it.
#pragma once

#include "plugins/measured_engine.hpp"

#include <gallery/error.hpp>
#include <gallery/storage.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace gallery::plugins {

struct probed_store {
    std::unique_ptr<measured_engine> store;
    /// Why only reading was probed; empty where writing was, too. For operators.
    std::string unwritable;
};

/// Writes a picture, reads it back, meets a conflict, lists, updates and erases it, and does the same with a
/// document; removes what it wrote, and what an earlier probe that was killed left behind. All of its names
/// are its own, so that several servers may probe a store that they share (@p shared) at the same time. It
/// asks as the server does, through the store that looks at the answers. A store that accepts no writes
/// (writing(), read_only, or no_space on a full disk) passes when what is stored can be read.
///
/// Threads: called by one at a time; runs an io_context of its own in the calling thread and blocks.
/// Ownership: @p store is handed back when it passed. When it did not answer within @p deadline it is never
/// destroyed, since a coroutine of it is still under way. Errors: internal with what was expected and what
/// was found, the engine's own, unavailable when the deadline passed.
result<probed_store> probe(std::unique_ptr<measured_engine> store, bool shared,
                           std::chrono::seconds deadline);

}  // namespace gallery::plugins
