// SPDX-License-Identifier: Apache-2.0
/// Assigns revisions and determines up to which one the change feed is visible.
///
/// Writes run concurrently and may commit in another order than that of their revisions. A reader of the feed
/// must never see a revision before a smaller one that appears later. Therefore the feed ends below the
/// lowest revision in progress, and a write waits for the earlier ones before it is acknowledged. (They share
/// one synchronisation of the disk, so they end together.)
///
/// Threads: all functions from any thread.
#pragma once

#include <gallery/model.hpp>
#include <gallery/mutex.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>

namespace gallery::rocks {

class commit_order {
public:
    /// @p used: the highest revision that may ever have been assigned. @p newest: that of the newest change.
    /// @p acknowledge: called with a revision below which all writes have ended, before any write up to it is
    /// acknowledged; increasing, one call at a time; must be quick.
    commit_order(revision used, revision newest, std::function<void(revision)> acknowledge);

    struct ticket {
        revision rev = 0;
        std::size_t count = 1;
        /// If set, the write with this ticket also stores it as the revision floor: after a crash revisions
        /// continue from there, even if the log has lost writes.
        std::optional<revision> new_floor;
    };

    /// Assigns @p count (at least 1) consecutive revisions; the ticket contains the first.
    ticket begin(std::size_t count = 1);

    /// Ends a ticket for @p count revisions and returns when all earlier ones have ended. True if the feed
    /// has grown.
    bool finish(revision first, std::size_t count, bool committed);

    /// All writes up to it have ended and are visible.
    [[nodiscard]] revision visible() const;
    /// The revision of the newest visible change.
    [[nodiscard]] revision newest() const;
    /// The highest assigned revision.
    [[nodiscard]] revision used() const;

    /// The floor to store when a store is opened.
    [[nodiscard]] static revision floor_after(revision used) noexcept { return used + 2 * floor_step; }

private:
    static constexpr revision floor_step = 1 << 15;
    enum class state : std::uint8_t { open, committed, failed };

    mutable mutex mutex_;
    condition_variable moved_;
    /// Of the revisions above visible_, in order.
    std::deque<state> in_progress_ GALLERY_GUARDED_BY(mutex_);
    revision visible_ GALLERY_GUARDED_BY(mutex_);
    revision newest_ GALLERY_GUARDED_BY(mutex_);
    revision next_floor_ GALLERY_GUARDED_BY(mutex_);
    std::function<void(revision)> acknowledge_ GALLERY_GUARDED_BY(mutex_);
};

}  // namespace gallery::rocks
