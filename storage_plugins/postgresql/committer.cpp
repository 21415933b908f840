// SPDX-License-Identifier: Apache-2.0
// The idea: group commit under one row lock. One coroutine takes up to 64 waiting writes (4 MiB). The first
// half of its transaction locks the row of `state`, which orders the writes of all servers, and reads the
// changes that this server has not seen. The writes are judged in memory, against a draft of the mirror. The
// second half sends their statements together with the commit.
//
// The invariants.
//  - A write is judged against the newest state. The lock is held from before the changes are read until the
//    standbys have confirmed the commit.
//  - Revisions are assigned under the lock, one for each change, so the feed has no hole. The statement
//    `advance` ends the transaction if it would get one.
//  - A write is acknowledged only after a commit without a warning, on a connection to the server that the
//    mirror follows, with replication on. What cannot be known is `unavailable`, and never an
//    acknowledgement.
//  - If a connection is lost during the commit, the writes are looked up in the feed by their ids, under the
//    lock, before they are repeated. A write is completed once.
//
// The cost. A transaction takes one round trip per half, the commit's wait for the standbys, and one round
// trip that asks whether replication is on, however many writes it contains. If it fails for another reason
// than the connection, its writes are repeated one by one. Writers of all servers wait for one lock, so more
// servers do not write more.
#include "committer.hpp"

#include <algorithm>
#include <iterator>
#include <unordered_set>

namespace gallery::postgres {
namespace {

using clock = std::chrono::steady_clock;
using level = log_level;

constexpr std::size_t writes_at_once = 64;
constexpr std::size_t bytes_at_once = 4 << 20;
constexpr unsigned most_attempts = 5;
constexpr auto all_changes = std::int64_t{1} << 40;

error cannot_know(const std::string& why) {
    return {errc::unavailable, "Whether the write happened is not known: " + why};
}

/// Of a write that was never sent.
error not_begun(const error& why) {
    return {errc::busy, "The write was not begun in time, and nothing was changed: " + why.message};
}

error body_is_gone() {
    return {errc::stale, "The bytes that were stored ahead are not there any more."};
}

}  // namespace

committer::committer(environment& in, dialer& servers, mirror& contents, follower& feed,
                     std::function<void()> committed)
    : in_(in),
      servers_(servers),
      mirror_(contents),
      follower_(feed),
      committed_(std::move(committed)),
      connection_(in.engine, in.chosen.timeout),
      wake_(in.engine),
      pause_(in.engine) {}

void committer::add(write_ptr one) {
    one->deadline = clock::now() + in_.chosen.timeout;
    queue_.push_back(std::move(one));
    waiting_count_.store(queue_.size(), std::memory_order_relaxed);
    wake_.set();
}

committer::group committer::take() {
    group writes;
    std::size_t size = 0;
    while (!queue_.empty() && writes.size() < writes_at_once) {
        auto& next = queue_.front();
        if (!writes.empty() && (next->alone || size + next->size() > bytes_at_once)) break;
        size += next->size();
        const bool alone = next->alone;
        writes.push_back(std::move(next));
        queue_.pop_front();
        if (alone) break;
    }
    waiting_count_.store(queue_.size(), std::memory_order_relaxed);
    return writes;
}

void committer::give_back(group writes) {
    queue_.insert(queue_.begin(), std::make_move_iterator(writes.begin()),
                  std::make_move_iterator(writes.end()));
    waiting_count_.store(queue_.size(), std::memory_order_relaxed);
}

void committer::fail_late(const error& why) {
    const auto now = clock::now();
    const auto late = std::stable_partition(queue_.begin(), queue_.end(),
                                            [&](const write_ptr& one) { return one->deadline > now; });
    for (auto one = late; one != queue_.end(); ++one)
        (*one)->fail(not_begun(why));
    queue_.erase(late, queue_.end());
    waiting_count_.store(queue_.size(), std::memory_order_relaxed);
}

task<result<void>> committer::link() {
    if (!connection_.is_open()) {
        server_.clear();
        auto facts = co_await servers_.open_believed(connection_);
        if (!facts) co_return facts.error();
        server_ = facts->server;
        timeline_ = facts->timeline;
    }
    if (follower_.server() == server_) co_return result<void>();
    // One of the two is connected to a server that was replaced, or the store is being loaded again.
    if (!follower_.server().empty()) {
        if (follower_.timeline() < timeline_)
            follower_.doubt();
        else
            connection_.close();
    }
    co_return error{errc::unavailable, "The store is being read from the new primary."};
}

task<> committer::run() {
    while (!stopping_) {
        if (queue_.empty()) {
            co_await wake_.wait();
            continue;
        }
        if (const auto reason = follower_.unreplicated(); !reason.empty()) {
            auto refused = std::exchange(queue_, {});
            waiting_count_ = 0;
            for (auto& one : refused)
                one->fail(
                    {errc::read_only, "PostgreSQL would lose writes with its primary: " + reason + "."});
            continue;
        }
        auto linked = co_await link();
        if (!linked) {
            fail_late(linked.error());
            if (!queue_.empty()) co_await pause_.wait_for(std::chrono::milliseconds(20));
            continue;
        }
        co_await commit(take());
    }
}

bool committer::apply(changes_read from) {
    if (from.newest < mirror_.position() || from.trimmed > mirror_.position()) return false;
    mirror_.apply(std::move(from.events), from.newest);
    return true;
}

task<> committer::roll_back() {
    if (!connection_.is_open()) co_return;
    batch undo;
    undo.add(statement::rollback);
    auto undone = co_await connection_.run(std::move(undo));
    if (undone.failed) connection_.close();
}

void committer::failed(group writes, const failure& what) {
    if (writes.size() > 1) {
        // One of them may be at fault, or too much together: each by itself tells.
        for (auto& one : writes)
            one->alone = true;
        return give_back(std::move(writes));
    }
    auto& one = writes.front();
    if (what.is_transient() && ++one->attempts < most_attempts) return give_back(std::move(writes));
    one->fail(not_done(what, "writing"));
}

void committer::leave_unknown(group& writes, const std::string& why) {
    doubtful_ += writes.size();
    in_.log(level::error,
            "postgresql: a commit is not acknowledged, because it may not be replicated: " + why);
    for (auto& one : writes) {
        if (one->changes())
            one->fail(cannot_know(why));
        else
            one->succeed();
    }
    follower_.hint();
}

task<> committer::commit(group writes) {
    batch first;
    first.add(statement::begin);
    first.add(statement::lock_state);
    const auto changes_at =
        first.add(statement::changes_after, {of_count(mirror_.position()), of_int8(all_changes)});
    std::vector<uuid> staged;
    for (const auto& one : writes)
        if (one->staged() != nullptr) staged.push_back(*one->staged());
    std::size_t staged_at = 0;
    if (!staged.empty()) staged_at = first.add(statement::find_staged, {of_uuids(staged)});
    auto locked = co_await connection_.run(std::move(first));
    if (locked.failed) {
        // Nothing was sent that writes.
        if (locked.failed->lost) {
            connection_.close();
            give_back(std::move(writes));
            fail_late(to_error(*locked.failed, "writing"));
            co_return;
        }
        co_await roll_back();
        failed(std::move(writes), *locked.failed);
        co_return;
    }
    if (!apply(decode_changes(locked, changes_at)) || follower_.server() != server_) {
        connection_.close();
        follower_.doubt();
        give_back(std::move(writes));
        co_return;
    }
    if (!staged.empty()) {
        std::vector<uuid> there;
        for (int i = 0; i < locked.rows(staged_at); ++i)
            there.push_back(uuid_of(locked.at(staged_at, i, 0)));
        std::erase_if(writes, [&](const write_ptr& one) {
            if (one->staged() == nullptr ||
                std::find(there.begin(), there.end(), *one->staged()) != there.end())
                return false;
            one->fail(body_is_gone());
            return true;
        });
    }

    const revision before = mirror_.position();
    draft next(mirror_, before);
    batch second;
    for (const auto& one : writes)
        one->judge(next, second);
    if (next.events().empty()) {
        // What refused them is committed and replicated: the lock was held until then.
        second.add(statement::rollback);
        auto ended = co_await connection_.run(std::move(second));
        if (ended.failed) connection_.close();
        for (auto& one : writes)
            one->succeed();
        co_return;
    }
    second.add(statement::advance, {of_count(next.last()), of_count(before), of_count(next.events().size())});
    const auto commit_at = second.add(statement::commit);
    auto done = co_await connection_.run(std::move(second));
    ++transactions_;
    if (done.failed) {
        if (done.failed->lost) {
            connection_.close();
            co_await look_up(std::move(writes), before);
            co_return;
        }
        co_await roll_back();
        failed(std::move(writes), *done.failed);
        co_return;
    }
    if (!done.notices.empty() || std::string_view(PQcmdStatus(done.results[commit_at].get())) != "COMMIT") {
        leave_unknown(writes, done.notices.empty() ? "the server did not commit" : done.notices.front());
        co_return;
    }
    const auto replication = co_await ask_replication();
    if (!replication) {
        co_await look_up(std::move(writes), before);
        co_return;
    }
    if (!replication->empty()) {
        leave_unknown(writes, *replication);
        co_return;
    }
    writes_ += writes.size();
    mirror_.apply(next.take_events(), next.last());
    co_await show();
    for (auto& one : writes)
        one->succeed();
    committed_();
}

task<> committer::show() {
    if (!mirror_.is_loading()) co_return;
    // What was written is certain, also where this does not succeed in time.
    auto shown = co_await follower_.barrier();
    (void)shown;
}

task<result<std::string>> committer::ask_replication() {
    if (in_.chosen.allow_unreplicated) co_return std::string();
    batch ask;
    ask.add(statement::replication);
    auto now = co_await connection_.run(std::move(ask));
    if (now.failed) {
        connection_.close();
        co_return to_error(*now.failed, "asking for replication");
    }
    co_return why_unreplicated(now.at(0, 0, 0).view(), now.at(0, 0, 1).view());
}

task<> committer::look_up(group writes, revision before) {
    in_.log(level::warning, "postgresql: the connection was lost during a commit; its outcome is looked up.");
    looked_up_ += writes.size();
    const auto deadline = clock::now() + in_.chosen.timeout;
    std::string problem = "the database cannot be reached.";
    while (!stopping_ && clock::now() < deadline) {
        auto linked = co_await link();
        if (!linked) {
            problem = linked.error().message;
            fail_late(linked.error());
            co_await pause_.wait_for(std::chrono::milliseconds(20));
            continue;
        }
        std::vector<uuid> ids;
        for (const auto& one : writes)
            ids.push_back(one->id());
        // The lock waits until the transaction in question has ended; the commit, for what was found to be
        // replicated.
        batch look;
        look.add(statement::begin);
        look.add(statement::lock_state);
        const auto changes_at =
            look.add(statement::changes_after, {of_count(mirror_.position()), of_int8(all_changes)});
        const auto found_at = look.add(statement::find_writes, {of_count(before), of_uuids(ids)});
        look.add(statement::beat, {of_uuid(in_.node)});
        look.add(statement::commit);
        auto found = co_await connection_.run(std::move(look));
        if (found.failed || !found.notices.empty()) {
            problem = found.failed ? found.failed->message : found.notices.front();
            fail_late({errc::unavailable, problem});
            connection_.close();
            co_await pause_.wait_for(std::chrono::milliseconds(20));
            continue;
        }
        std::vector<uuid> there;
        for (int i = 0; i < found.rows(found_at); ++i)
            there.push_back(uuid_of(found.at(found_at, i, 0)));
        const bool happened = !there.empty();
        if (happened) {
            const auto replication = co_await ask_replication();
            if (!replication) {
                problem = replication.error().message;
                fail_late(replication.error());
                co_await pause_.wait_for(std::chrono::milliseconds(20));
                continue;
            }
            if (!replication->empty()) {
                leave_unknown(writes, *replication);
                co_return;
            }
        }
        auto since = decode_changes(found, changes_at);
        const bool reaches_back = since.trimmed <= before;
        // Where they cannot be applied, the follower loads the store again. The outcome is known all the
        // same.
        if (!apply(std::move(since))) follower_.doubt();
        if (happened) co_await show();
        group again;
        for (auto& one : writes) {
            // Refused ones were judged together with the others, whose outcome is theirs.
            const bool is_there = std::find(there.begin(), there.end(), one->id()) != there.end();
            if (is_there || (happened && !one->changes()))
                one->succeed();
            else if (reaches_back)
                again.push_back(std::move(one));
            else
                one->fail(cannot_know("the feed does not reach back to it any more."));
        }
        give_back(std::move(again));
        if (happened) committed_();
        co_return;
    }
    doubtful_ += writes.size();
    for (auto& one : writes)
        one->fail(cannot_know(problem));
}

void committer::stop() {
    stopping_ = true;
    connection_.abort();
    wake_.set();
    pause_.set();
}

}  // namespace gallery::postgres
