// SPDX-License-Identifier: Apache-2.0
/// Commits the writes of this process, many in one transaction.
#pragma once

#include "follower.hpp"
#include "mirror.hpp"
#include "session.hpp"
#include "signal.hpp"
#include "write.hpp"

#include <deque>
#include <functional>
#include <string>
#include <vector>

namespace gallery::postgres {

/// One transaction at a time: it locks the store's state, which orders the writes of all processes, brings
/// the mirror to the newest revision, judges the writes in memory, and sends what they change together with
/// the commit. Writes that arrive meanwhile are the next transaction.
///
/// A lost connection leaves the outcome of a transaction open until another connection has looked whether its
/// writes are in the feed. A commit that the server accompanies with a warning is `unavailable`: the wait for
/// the standbys was cancelled, and the write may be lost with the primary.
///
/// Used on the engine's thread.
class committer {
public:
    committer(environment& in, dialer& servers, mirror& contents, follower& feed,
              std::function<void()> committed);

    void add(write_ptr one);
    task<> run();
    void stop();

    [[nodiscard]] std::size_t waiting() const noexcept {
        return waiting_count_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t transactions() const noexcept {
        return transactions_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t writes() const noexcept { return writes_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t doubtful() const noexcept {
        return doubtful_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t looked_up() const noexcept {
        return looked_up_.load(std::memory_order_relaxed);
    }

private:
    using group = std::vector<write_ptr>;

    group take();
    void give_back(group writes);
    void fail_late(const error& why);
    /// A believed connection to the server that the mirror follows.
    task<result<void>> link();
    task<> commit(group writes);
    /// Answers committed writes that may not be replicated: neither acknowledged nor refused.
    void leave_unknown(group& writes, const std::string& why);
    /// The transaction of these writes ended without an answer. @p before: the store's revision before it.
    task<> look_up(group writes, revision before);
    /// Why a lost primary would lose what was committed on this connection; empty if it would not, or may. A
    /// server whose list of standbys is emptied lets waiting commits go without a warning. Therefore it is
    /// asked after a commit, and not in its pipeline, where a failure of the question would look like one of
    /// the commit. Closes the connection on an error.
    task<result<std::string>> ask_replication();
    /// While the store is loaded again, waits until this process shows what it has written.
    task<> show();
    /// False: the mirror cannot be brought there, which the follower must be told (doubt()).
    bool apply(changes_read from);
    void failed(group writes, const failure& what);
    task<> roll_back();

    environment& in_;
    dialer& servers_;
    mirror& mirror_;
    follower& follower_;
    std::function<void()> committed_;
    connection connection_;
    std::string server_;  ///< that connection_ is to
    std::int64_t timeline_ = 0;
    signal wake_;
    signal pause_;
    std::deque<write_ptr> queue_;
    bool stopping_ = false;
    std::atomic<std::size_t> waiting_count_{0};
    std::atomic<std::uint64_t> transactions_{0};
    std::atomic<std::uint64_t> writes_{0};
    std::atomic<std::uint64_t> doubtful_{0};
    std::atomic<std::uint64_t> looked_up_{0};
};

}  // namespace gallery::postgres
