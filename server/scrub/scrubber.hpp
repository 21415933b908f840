// SPDX-License-Identifier: Apache-2.0
/// Decides when a pass over the store begins, and carries it out step by step.
///
/// What a pass has done is stored from time to time, and a restarted server continues it. Servers that share
/// a store take turns: one at a time has the lease, and what is stored is common to all of them, so that
/// another server continues where one has ended. A server that has lost its lease without noticing reads a
/// few bodies that another one reads as well, which is harmless.
///
/// A switch can put another store in the place of this one at any time. The state, the cursor and the turn
/// belong to one store. Each step therefore asks for the name of the store first, and forgets all three when
/// it has changed.
#pragma once

#include "scrub/pass.hpp"
#include "scrub/saved.hpp"
#include "scrub/status.hpp"

#include <gallery/error.hpp>
#include <gallery/storage_engine.hpp>
#include <gallery/task.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gallery::scrub {

/// The turn of one server among several. Where no other server can have the store open, it is always given.
struct turn {
    std::function<task<result<bool>>()> acquire;  ///< or renew; false: another server has it
    std::function<task<result<void>>()> release;
    /// Another store has taken the place of the one that the turn is in: it is not held any more.
    std::function<void()> forget;
};

struct scrub_options {
    /// Identifies the store that is read now, wherever it is. Another text after a switch.
    std::function<task<result<std::string>>()> store_name;
    /// What was stored last; empty if nothing was.
    std::function<task<result<std::optional<std::string>>>()> load;
    std::function<task<result<void>>(std::string)> save;
    scrub::turn turn;
    std::function<std::int64_t()> now;  ///< milliseconds since 1970-01-01T00:00Z
    std::function<void(bool is_problem, std::string_view text)> log;
    std::size_t page = 32;  ///< items of one scan, at least 1

    std::chrono::milliseconds retry{30'000};    ///< after a failure, and while another server has the turn
    std::chrono::milliseconds renewal{30'000};  ///< of the turn; well below the length of a lease
    std::chrono::milliseconds saving{30'000};   ///< of the state, at most so often during a pass
};

/// Settings that may change while it runs. Any thread.
struct live_settings {
    std::atomic<std::chrono::milliseconds> interval{};  ///< 0: passes begin by command only
    std::atomic<std::uint64_t> rate{0};                 ///< bytes per second; 0: no limit
};

/// All members are used by one coroutine at a time.
class scrubber {
public:
    /// All outlive it. @p is_interrupted: the server stops, or a command is waiting.
    scrubber(storage_engine& store, const scrub_options& options, const live_settings& live,
             std::function<bool()> is_interrupted, status_board& board);
    scrubber(const scrubber&) = delete;
    scrubber& operator=(const scrubber&) = delete;

    /// Begins a pass, unless one is in progress. @p rate: for this pass, instead of the one in use; 0: no
    /// limit. Errors: busy if another server reads; those of the store and of the stored state.
    task<result<void>> start(std::optional<std::uint64_t> rate);
    /// Ends the pass in progress; the next one is due after a whole interval. Succeeds if there is none.
    /// Errors: busy if another server reads; those of the stored state.
    task<result<void>> stop();
    /// Does the next piece of work. Returns for how long there is nothing to do then. Failures of the store
    /// are in the status.
    task<result<std::chrono::milliseconds>> step();

private:
    using clock = std::chrono::steady_clock;

    /// Notices a switch. To be called before all else. Errors: those of store_name.
    task<result<void>> see_store();
    /// Reads the stored state when it is not known, or may be another server's. Errors: those of load.
    task<result<void>> know();
    task<result<void>> make_state();
    task<result<bool>> take_turn();
    /// Renews it if it is time. False: another server has it.
    task<result<bool>> renew_turn();
    task<void> give_turn_back();
    task<result<void>> begin(std::optional<std::uint64_t> rate);
    task<result<void>> end();
    task<result<std::chrono::milliseconds>> read_piece();
    /// Stores the state, if it is time or @p at_once. A failure is logged once, and the pass goes on.
    task<void> keep(bool at_once);
    task<result<void>> write();
    [[nodiscard]] std::int64_t due_at() const;
    [[nodiscard]] std::chrono::milliseconds until_due() const;
    void show(scrub_state state, const std::string& problem);

    storage_engine& store_;
    const scrub_options& options_;
    const live_settings& live_;
    status_board& board_;
    pass_options reading_;
    pass pass_;

    std::string store_name_;             ///< of the store that the rest is about
    std::optional<saved_scrub> state_;   ///< empty: not known
    bool is_current_ = false;            ///< no other server has changed it since it was read
    std::optional<std::string> stored_;  ///< what was read or written last; empty: nothing is stored
    bool has_turn_ = false;
    clock::time_point renewed_at_;
    clock::time_point saved_at_;
    bool is_unsaved_ = false;  ///< the last write of the state has failed
    figures read_before_;      ///< of this pass; the difference is what was read since
};

}  // namespace gallery::scrub
