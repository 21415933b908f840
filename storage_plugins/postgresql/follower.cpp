// SPDX-License-Identifier: Apache-2.0
// The idea. A read that needs the newest state waits in barrier(). A poll takes all that wait, reads the
// changes after the mirror's position until there are no more, applies them, and then answers those that it
// took. If a heartbeat is due, the same exchange commits one.
//
// The invariants.
//  - A read is answered only by a poll that began after the read did. Until it has succeeded, the read waits
//    again, until its timeout.
//  - Changes are applied in order, and those of one write together: a write that a batch has cut off is read
//    again with the next one.
//  - The horizon is the beginning of the last poll that reached the end of the feed.
//  - A poll never moves the mirror back. If the server lacks changes that were read before, or no longer
//    keeps those that come next, the connection is closed, and link() decides whether the store is loaded
//    again.
//
// The cost. A poll is one round trip, however many reads wait, plus one for every 2,000 changes. A heartbeat
// adds a commit that waits for the standbys. Loading reads all records and documents once.
#include "follower.hpp"

#include "schema.hpp"

#include <algorithm>

namespace gallery::postgres {
namespace {

using level = log_level;

constexpr std::int64_t changes_at_once = 2'000;

error not_reached() {
    return {errc::unavailable,
            "The database did not answer in time; the current state of the store is not known."};
}

/// Columns of a change (decode_change()), for a copy.
std::string change_columns() {
    std::string columns = record_columns;
    const std::string own_rev = "rev, content_rev";
    columns.replace(columns.find(own_rev), own_rev.size(), "record_rev, content_rev");
    return "rev, kind, write, kept, kept_time, is_erased, document_kind, document_id, document_body, " +
           columns;
}

}  // namespace

follower::follower(environment& in, dialer& servers, mirror& contents)
    : in_(in),
      servers_(servers),
      mirror_(contents),
      connection_(in.engine, in.chosen.timeout),
      wake_(in.engine),
      pause_(in.engine),
      expiry_(in.engine) {}

void follower::judge_replication(std::string reason) {
    if (in_.chosen.allow_unreplicated) reason.clear();
    bool differs = false;
    {
        const lock_guard lock(mutex_);
        differs = unreplicated_ != reason;
        unreplicated_ = reason;
    }
    if (!differs) return;
    if (reason.empty())
        in_.log(level::info, "postgresql: commits are replicated again; writes are accepted.");
    else
        in_.log(level::error,
                "postgresql: writes are refused, because a lost primary would lose them: " + reason + ".");
}

std::string follower::unreplicated() const {
    const lock_guard lock(mutex_);
    return unreplicated_;
}

void follower::set_horizon(clock::time_point began) {
    horizon_ = std::max(horizon_, began);
    horizon_ticks_.store(horizon_.time_since_epoch().count(), std::memory_order_relaxed);
}

double follower::age() const noexcept {
    const clock::time_point last{clock::duration(horizon_ticks_.load(std::memory_order_relaxed))};
    return std::chrono::duration<double>(clock::now() - last).count();
}

task<result<void>> follower::open() {
    // The database may be starting as well, or be in the middle of a failover.
    const auto deadline = clock::now() + in_.chosen.timeout;
    auto facts = co_await servers_.dial(connection_, durability::synchronous);
    while (!facts && clock::now() < deadline) {
        co_await pause_.wait_for(std::chrono::milliseconds(100));
        facts = co_await servers_.dial(connection_, durability::synchronous);
    }
    if (!facts) co_return facts.error();
    if (facts->encoding != "UTF8")
        co_return error{errc::invalid_argument,
                        "The database that the option dsn names has the encoding " + facts->encoding +
                            "; the postgresql store needs one with the encoding UTF8."};
    if (!facts->unreplicated.empty() && !in_.chosen.allow_unreplicated)
        co_return error{errc::invalid_argument,
                        "PostgreSQL would lose acknowledged writes with its primary: " + facts->unreplicated +
                            ". Set up synchronous standbys, or set the option allow_unreplicated to true."};
    if (!facts->unreplicated.empty())
        in_.log(level::warning, "postgresql: writes are not replicated (" + facts->unreplicated +
                                    "), as allow_unreplicated permits.");
    if (!facts->syncs)
        in_.log(level::warning,
                "postgresql: the server runs with fsync off; a power cut may damage the database.");
    auto prepared = co_await prepare_schema(connection_, in_.chosen.schema, facts->server, in_.log);
    if (!prepared) co_return prepared.error();
    connection_.close();
    co_return co_await link();
}

task<result<void>> follower::link() {
    server_.clear();
    is_connected_ = false;
    const auto began = clock::now();
    auto facts = co_await servers_.open_believed(connection_);
    if (!facts) co_return facts.error();
    judge_replication(facts->unreplicated);
    batch look;
    look.add(statement::read_state);
    look.add(statement::read_history);
    auto found = co_await connection_.run(std::move(look));
    if (found.failed) {
        connection_.close();
        co_return to_error(*found.failed, "reading the state of the store");
    }
    std::vector<mirror::beginning> history;
    for (int i = 0; i < found.rows(1); ++i)
        history.push_back({int_of(found.at(1, i, 0)), count_of(found.at(1, i, 1))});
    mirror_.set_history(std::move(history));
    const bool is_same_history =
        count_of(found.at(0, 0, 0)) >= mirror_.position() && !mirror_.is_lost(mirror_.position());
    const bool follows = is_loaded_ && !mirror_.is_loading() && is_same_history &&
                         count_of(found.at(0, 0, 1)) <= mirror_.position();
    if (!follows) {
        if (is_loaded_ && !mirror_.is_loading()) {
            ++reloads_;
            in_.log(level::warning,
                    std::string("postgresql: ") +
                        (is_same_history ? "changes that this server has not read are no longer kept"
                                         : "the new primary lacks changes that this server has seen") +
                        "; loading the store again.");
        }
        auto loaded = co_await load();
        if (!loaded) {
            connection_.close();
            co_return loaded.error();
        }
        is_loaded_ = true;
    }
    beat_began_ = began;
    server_ = facts->server;
    timeline_ = facts->timeline;
    is_connected_ = true;
    co_return result<void>();
}

task<result<void>> follower::load() {
    connection_.leave_pipeline();
    std::string begin =
        "begin isolation level repeatable read, read only;set local idle_in_transaction_session_timeout to 0;"
        "select revision, trimmed from state";
    auto state = co_await connection_.execute(std::move(begin));
    if (state.failed) co_return to_error(*state.failed, "loading the store");
    const auto at = static_cast<revision>(std::stoull(state.text(2, 0, 0)));
    auto trimmed = static_cast<revision>(std::stoull(state.text(2, 0, 1)));

    mirror_.begin_load();
    std::vector<change> changes;
    const auto most_changes = 2 * in_.chosen.changes_kept;
    struct part {
        std::string what;
        std::function<void(const fields&)> on_row;
    };
    std::vector<part> parts;
    parts.push_back({"select " + record_columns + " from image",
                     [this](const fields& row) { mirror_.load_image(decode_record(row, 0)); }});
    parts.push_back({"select kept_rev, kept_time, is_erased, " + record_columns + " from kept",
                     [this](const fields& row) {
                         auto stored = decode_record(row, 3);
                         mirror_.load_version(
                             {{std::move(stored.record), count_of(row[0]), int_of(row[1]), bool_of(row[2])},
                              stored.body});
                     }});
    parts.push_back(
        {"select kind, id, body, rev from document", [this](const fields& row) {
             mirror_.load_document({text_of(row[0]), text_of(row[1]), text_of(row[2]), count_of(row[3])});
         }});
    parts.push_back({"select c.* from (select " + change_columns() + " from change order by rev desc limit " +
                         std::to_string(most_changes) + ") c order by c.rev",
                     [&changes](const fields& row) { changes.push_back(change_of(decode_change(row, 0))); }});
    for (auto& one : parts) {
        auto failed = co_await connection_.copy_out("copy (" + one.what + ") to stdout (format binary)",
                                                    std::move(one.on_row));
        if (failed) co_return to_error(*failed, "loading the store");
    }
    auto ended = co_await connection_.execute("commit");
    if (ended.failed) co_return to_error(*ended.failed, "loading the store");
    connection_.resume_pipeline();
    if (changes.size() == most_changes) trimmed = std::max(trimmed, changes.front().rev - 1);
    mirror_.end_load(at, trimmed, std::move(changes));
    co_return result<void>();
}

task<bool> follower::poll_once() {
    hinted_ = false;
    auto served = std::exchange(waiters_, {});
    const auto began = clock::now();
    polled_ = began;
    ++polls_;
    const auto give_back = [&] {
        for (auto one = served.rbegin(); one != served.rend(); ++one)
            waiters_.push_front(std::move(*one));
    };
    bool beats = began - beat_began_ >= in_.chosen.heartbeat;
    for (bool at_end = false; !at_end;) {
        batch look;
        // This server's own writes move the position on while the question is under way.
        const revision asked_after = mirror_.position();
        const auto rows_at =
            look.add(statement::changes_after, {of_count(asked_after), of_int8(changes_at_once)});
        std::size_t replication_at = 0;
        if (beats) {
            replication_at = look.add(statement::replication);
            look.add(statement::beat, {of_uuid(in_.node)});
        }
        auto found = co_await connection_.run(std::move(look));
        if (found.failed || (beats && !found.notices.empty())) {
            last_problem_ = found.failed ? found.failed->message : found.notices.front();
            connection_.close();
            give_back();
            co_return false;
        }
        if (beats) {
            beat_began_ = began;
            judge_replication(why_unreplicated(found.at(replication_at, 0, 0).view(),
                                               found.at(replication_at, 0, 1).view()));
            beats = false;
        }
        auto [newest, trimmed, events] = decode_changes(found, rows_at);
        if (newest < asked_after || trimmed > asked_after) {
            // A primary that was replaced, or a store that was restored, which connecting again tells. Or
            // this process was stopped for so long that the feed does not reach back to where it was.
            last_problem_ = newest < asked_after ? "the connected server lacks changes that were read before"
                                                 : "changes that were not read yet are no longer kept";
            connection_.close();
            give_back();
            co_return false;
        }
        at_end = events.size() < static_cast<std::size_t>(changes_at_once);
        if (!at_end) {
            // The last write may be cut off in the middle.
            const auto last = events.back().write;
            while (!events.empty() && events.back().write == last)
                events.pop_back();
        }
        mirror_.apply(std::move(events), at_end ? newest : 0);
    }
    set_horizon(began);
    for (auto& one : served)
        one.waiting.complete(result<void>());
    co_return true;
}

task<> follower::run() {
    while (!stopping_) {
        // An exception may have ended a run between connecting and the end of loading.
        if (server_.empty() || mirror_.is_loading()) connection_.close();
        if (!connection_.is_open()) {
            auto linked = co_await link();
            if (!linked) {
                if (last_problem_ != linked.error().message) {
                    last_problem_ = linked.error().message;
                    in_.log(level::error, "postgresql: " + last_problem_);
                }
                co_await pause_.wait_for(std::chrono::milliseconds(100));
                continue;
            }
            ++reconnects_;
            last_problem_.clear();
            in_.log(level::info, "postgresql: connected to the primary again.");
        }
        if (waiters_.empty() && !hinted_) {
            const auto due = std::min(polled_ + in_.chosen.poll, beat_began_ + in_.chosen.heartbeat);
            co_await wake_.wait_until(due);
            if (stopping_) break;
            if (waiters_.empty() && !hinted_ && clock::now() < due) continue;
        }
        bool polled = false;
        if (connection_.is_open()) polled = co_await poll_once();
        if (polled || stopping_) continue;
        server_.clear();
        is_connected_ = false;
        in_.log(level::warning,
                "postgresql: the connection that follows the feed is lost: " + last_problem_ + ".");
    }
}

task<> follower::expire_waiters() {
    while (!stopping_) {
        co_await expiry_.wait_for(std::chrono::milliseconds(200));
        const auto now = clock::now();
        while (!waiters_.empty() && (stopping_ || waiters_.front().deadline <= now)) {
            auto late = std::move(waiters_.front());
            waiters_.pop_front();
            late.waiting.complete(not_reached());
        }
    }
}

void follower::stop() {
    stopping_ = true;
    connection_.abort();
    wake_.set();
    pause_.set();
    expiry_.set();
}

task<result<void>> follower::barrier() {
    auto wait = [this](resumption<result<void>> waiting) {
        asio::post(in_.engine, [this, waiting = std::move(waiting)]() mutable {
            waiters_.push_back({reply<void>(std::move(waiting)), clock::now() + in_.chosen.timeout});
            wake_.set();
        });
    };
    co_return co_await suspend<result<void>>(std::move(wait));
}

void follower::hint() {
    hinted_ = true;
    wake_.set();
}

void follower::doubt() {
    if (!server_.empty()) connection_.abort();
    // A question on the connection that was ended fails, and the feed is followed on another one.
    hint();
}

}  // namespace gallery::postgres
