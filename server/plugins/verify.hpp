// SPDX-License-Identifier: Apache-2.0
/// Verifies the contents of a store.
#pragma once

#include <gallery/error.hpp>
#include <gallery/storage.hpp>
#include <gallery/task.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace gallery::plugins {

struct verification {
    std::uint64_t records = 0;        ///< images
    std::uint64_t kept_versions = 0;  ///< of images that were replaced or erased
    std::uint64_t bodies = 0;         ///< originals and previews that were read and hashed
    std::uint64_t bytes = 0;          ///< of them
    std::uint64_t documents = 0;      ///< of accounts
    std::uint64_t index_entries = 0;  ///< that the engine compared
    /// The problems, each with its image; at most max_problems, followed by a line with the number of further
    /// ones.
    std::vector<std::string> problems;

    static constexpr std::size_t max_problems = 1'000;

    [[nodiscard]] bool sound() const noexcept { return problems.empty(); }
};

/// Reads every record and kept version, finds each record by each of its names, reads every body and
/// compares its SHA-256 and size with the record, and calls the engine's own check. Continues after a
/// problem. @p progress receives the number of records from time to time; it may be empty. Entries that are
/// erased or replaced meanwhile are no problem. If stored data prevents further reading, that is also a
/// problem, and the engine's check still runs. Errors: those of the store that are not damage and prevent
/// further reading.
task<result<verification>> verify(storage_engine& store, std::function<void(std::uint64_t)> progress);

}  // namespace gallery::plugins
