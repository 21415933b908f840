// SPDX-License-Identifier: Apache-2.0
/// Is everything that a store keeps still what was stored?
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
    /// What is wrong, each with the image it concerns; at most max_problems, then a last line says how many
    /// more.
    std::vector<std::string> problems;

    static constexpr std::size_t max_problems = 1'000;

    [[nodiscard]] bool sound() const noexcept { return problems.empty(); }
};

/// Reads every record and kept version, finds each record by each of its names, reads every body and compares
/// its SHA-256 and size with the record, and lets the engine compare its structures. Goes on after a problem.
/// @p progress is told the number of records done, now and then; it may be empty. What is erased or replaced
/// meanwhile is no problem. Where what is stored keeps it from reading on, that is a problem, too, and the
/// engine compares its structures all the same. Errors: those of the store that are no damage and prevent
/// going on.
task<result<verification>> verify(storage_engine& store, std::function<void(std::uint64_t)> progress);

}  // namespace gallery::plugins
