// SPDX-License-Identifier: Apache-2.0
/// Assigns revisions that are never reused.
#pragma once

#include "files.hpp"

#include <gallery/error.hpp>
#include <gallery/model.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace gallery::file_store {

/// A small file contains a mark up to which revisions are reserved. A crash skips the revisions that were
/// reserved and not used. The mark is written in place, so a full disk, on which each refused write uses a
/// revision, can still be opened. Not thread-safe.
class revisions {
public:
    revisions(int root, std::string folder) : root_(root), folder_(std::move(folder)) {}

    /// The mark on the disk; 0 if there is none. Error: corrupt.
    result<revision> read() const;

    /// Starts after @p newest, the largest that was ever used or reserved. Once, before the functions below.
    result<> begin(revision newest);

    /// The first of @p count consecutive revisions; @p count is below 1,000. Errors: no_space, io_error and
    /// unavailable if the next block cannot be reserved.
    result<revision> next(std::size_t count);

    /// The newest that was assigned.
    [[nodiscard]] revision newest() const noexcept { return newest_; }

    /// Returns the reserved revisions that were not used.
    result<> close();

private:
    result<> reserve(revision up_to);

    int root_;
    std::string folder_;
    unique_fd file_;
    revision newest_ = 0;
    revision reserved_ = 0;
};

}  // namespace gallery::file_store
