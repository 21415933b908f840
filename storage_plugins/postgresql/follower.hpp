// SPDX-License-Identifier: Apache-2.0
/// Keeps the mirror up to date.
#pragma once

#include "mirror.hpp"
#include "reply.hpp"
#include "session.hpp"
#include "signal.hpp"

#include <gallery/mutex.hpp>

#include <atomic>
#include <chrono>
#include <deque>
#include <string>

namespace gallery::postgres {

/// Reads the feed on a connection of its own: when a request waits for the newest state, on a hint that there
/// are changes, and each `poll`. The same connection commits a heartbeat each `heartbeat`, which the standbys
/// have to confirm: a primary that was replaced without noticing is believed for at most that long.
///
/// Functions run on the engine's thread unless stated otherwise.
class follower {
public:
    using clock = std::chrono::steady_clock;

    follower(environment& in, dialer& servers, mirror& contents);

    /// Connects, prepares the schema, and loads the store.
    task<result<void>> open();
    /// Until stop().
    task<> run();
    /// Fails those that have waited too long. Until stop().
    task<> expire_waiters();
    void stop();

    /// Returns when the mirror contains everything that was acknowledged before the call, by any process.
    /// Any thread. Error: unavailable.
    task<result<void>> barrier();

    /// Another process may have changed something.
    void hint();
    /// What this connection shows may not be the newest history any more: connect again.
    void doubt();

    /// The server that the mirror follows, see server_facts; empty while it follows none.
    [[nodiscard]] const std::string& server() const noexcept { return server_; }
    [[nodiscard]] std::int64_t timeline() const noexcept { return timeline_; }
    /// Everything that any process was told to be committed before this moment is in the mirror.
    [[nodiscard]] clock::time_point horizon() const noexcept { return horizon_; }

    /// Why writes are refused: the database does not replicate and may not go on without. Any thread.
    [[nodiscard]] std::string unreplicated() const;

    [[nodiscard]] std::uint64_t reconnects() const noexcept { return reconnects_; }
    [[nodiscard]] std::uint64_t reloads() const noexcept { return reloads_; }
    [[nodiscard]] std::uint64_t polls() const noexcept { return polls_; }
    /// Any thread. Seconds since the last horizon.
    [[nodiscard]] double age() const noexcept;
    [[nodiscard]] bool is_connected() const noexcept { return is_connected_; }

private:
    struct waiter {
        reply<void> waiting;
        clock::time_point deadline;
    };

    task<result<void>> link();
    task<result<void>> load();
    task<bool> poll_once();
    void judge_replication(std::string reason);
    void set_horizon(clock::time_point began);

    environment& in_;
    dialer& servers_;
    mirror& mirror_;
    connection connection_;
    signal wake_;
    signal pause_;
    signal expiry_;
    std::deque<waiter> waiters_;
    bool hinted_ = false;
    bool stopping_ = false;
    bool is_loaded_ = false;
    std::string server_;
    std::int64_t timeline_ = 0;
    clock::time_point horizon_ = clock::time_point::min();
    std::atomic<clock::rep> horizon_ticks_{0};
    clock::time_point beat_began_;
    clock::time_point polled_;
    std::atomic<bool> is_connected_{false};
    std::atomic<std::uint64_t> reconnects_{0};
    std::atomic<std::uint64_t> reloads_{0};
    std::atomic<std::uint64_t> polls_{0};
    std::string last_problem_;

    mutable mutex mutex_;
    std::string unreplicated_ GALLERY_GUARDED_BY(mutex_);
};

}  // namespace gallery::postgres
