// SPDX-License-Identifier: Apache-2.0
/// Gives out revisions and says up to which one the change feed may be shown.
///
/// Writes run side by side and may commit in another order than they got their revisions. A reader of the
/// feed must never see a revision before a smaller one that comes later, so the feed ends below the lowest
/// revision that is still under way, and a write waits for the ones before it before it is acknowledged.
/// (They share one synchronisation of the disk, so they end together.)
///
/// Threads: all functions from any thread.
#pragma once

#include <gallery/model.hpp>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>

namespace gallery::rocks {

class commit_order {
public:
    /// @p used: the highest revision that may ever have been given out. @p newest: of the newest change.
    /// @p acknowledge: called with a revision below which everything is decided, before any write up to it
    /// is acknowledged; rising, one call at a time; must be quick.
    commit_order(revision used, revision newest, std::function<void(revision)> acknowledge);

    struct ticket {
        revision rev = 0;
        std::size_t count = 1;
        /// Where set, the write that uses this ticket also stores it as the revision floor: after a crash
        /// revisions go on from there, whatever the log has lost.
        std::optional<revision> new_floor;
    };

    /// Gives out @p count (at least 1) revisions that follow each other; the ticket has the first.
    ticket begin(std::size_t count = 1);

    /// Ends a ticket for @p count revisions and returns when all before it have ended. True where the feed
    /// has grown.
    bool finish(revision first, std::size_t count, bool committed);

    /// Everything up to it is decided and may be shown.
    [[nodiscard]] revision visible() const;
    /// Of the newest change that may be shown.
    [[nodiscard]] revision newest() const;
    /// The highest revision given out.
    [[nodiscard]] revision used() const;

    /// The floor to store when a store is opened.
    [[nodiscard]] static revision floor_after(revision used) noexcept { return used + 2 * floor_step; }

private:
    static constexpr revision floor_step = 1 << 15;
    enum class state : std::uint8_t { open, committed, failed };

    mutable std::mutex mutex_;
    std::condition_variable moved_;
    std::deque<state> under_way_;  // of the revisions above visible_, in order
    revision visible_;
    revision newest_;
    revision next_floor_;
    std::function<void(revision)> acknowledge_;
};

}  // namespace gallery::rocks
