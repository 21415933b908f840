// SPDX-License-Identifier: Apache-2.0
/// Revisions that are never given out twice.
#pragma once

#include "files.hpp"

#include <gallery/error.hpp>
#include <gallery/model.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace gallery::file_store {

/// Kept in a small file as a mark up to which revisions are reserved; a crash skips what was reserved and
/// not used. The mark is written in place, so that a full disk, on which each refused write uses up a
/// revision, can still be opened and emptied. Not thread-safe.
class revisions {
public:
    revisions(int root, std::string folder) : root_(root), folder_(std::move(folder)) {}

    /// The mark on the disk; 0 where there is none. Error: corrupt.
    result<revision> read() const;

    /// Begins behind @p newest, the largest that was ever used or reserved. Once, before all that follows.
    result<> begin(revision newest);

    /// The first of @p count that follow each other; @p count is below 1,000. Errors: no_space, io_error and
    /// unavailable where the next block could not be reserved.
    result<revision> next(std::size_t count);

    /// The newest that was given out.
    [[nodiscard]] revision newest() const noexcept { return newest_; }

    /// Gives back what was reserved and not used.
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
