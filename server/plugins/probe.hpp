// SPDX-License-Identifier: Apache-2.0
/// A short test that an opened store must pass before anything is served from it.
#pragma once

#include "plugins/measured_engine.hpp"

#include <gallery/error.hpp>
#include <gallery/storage.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace gallery::plugins {

struct probed_store {
    std::unique_ptr<measured_engine> store;
    /// Why only reading was probed, for operators; empty if writing was probed as well.
    std::string unwritable;
    revision found = 0;  ///< the newest one in the store before the probe wrote anything
};

/// Whether the store may be written to; asked before the first write. May be empty.
using probe_permission = std::function<task<result<void>>(document_store&)>;

/// Writes an image, reads it back, provokes a conflict, lists, updates and erases it, and does the same with
/// a document. Removes what it wrote, and the remains of an earlier probe that was killed. All of its names
/// are its own, so several servers may probe a shared store (@p shared) at the same time. It calls the store
/// as the server does, through the class that checks the answers. A store that does not accept writes
/// (writing(), read_only, or no_space on a full disk) passes if the stored data can be read.
///
/// Threads: any; runs an io_context of its own in the calling thread and blocks. Ownership: @p store is
/// returned if it passed. If it did not answer within @p deadline it is never destroyed, because a coroutine
/// of it is still running. Errors: internal with the expected and the actual result, the engine's own,
/// unavailable when the deadline passed; those of @p may_write unchanged.
result<probed_store> probe(std::unique_ptr<measured_engine> store, bool shared, std::chrono::seconds deadline,
                           probe_permission may_write = {});

}  // namespace gallery::plugins
