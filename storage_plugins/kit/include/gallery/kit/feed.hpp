// SPDX-License-Identifier: Apache-2.0
/// The newest changes of a store in memory.
#pragma once

#include <gallery/change_feed.hpp>
#include <gallery/mutex.hpp>

#include <cstddef>
#include <deque>
#include <vector>

namespace gallery::kit {

/// Thread-safe. Changes are appended in order of their revisions. For an engine that belongs to one process:
/// a batch that reaches the end is complete up to the moment of the call, because no other process appends
/// changes.
class feed {
public:
    /// Keeps at least @p keep changes, and at most twice as many.
    explicit feed(std::size_t keep = 10'000) : keep_(keep) {}

    /// Before the first append: there is no history up to and including @p rev.
    void begin_after(revision rev);

    /// Removes all changes: history up to and including @p rev is lost. @p later: the changes after it.
    void clear_to(revision rev, std::vector<change> later = {});

    void append(change entry);
    /// Appends the changes of one atomic write: a reader sees all of them or none.
    void append(std::vector<change> entries);

    /// As change_feed::changes().
    [[nodiscard]] result<change_batch> after(revision rev, std::size_t limit) const;

    /// The revision of the newest change, or if there is none, the argument of begin_after().
    [[nodiscard]] revision last() const;

    [[nodiscard]] std::size_t size() const;

private:
    void trim() GALLERY_REQUIRES(mutex_);

    mutable mutex mutex_;
    const std::size_t keep_;
    /// Changes up to this one are lost or never existed.
    revision floor_ GALLERY_GUARDED_BY(mutex_) = 0;
    std::deque<change> changes_ GALLERY_GUARDED_BY(mutex_);
};

}  // namespace gallery::kit
