// SPDX-License-Identifier: Apache-2.0
/// One mirror, from the opening of its target to its end.
///
/// It is driven in steps by one thread, and runs the coroutines of the copier on that thread. A step ends
/// when there is nothing to do at the moment, when a command has arrived, and when something has failed. A
/// failure closes the target; a later step opens it again and continues. A backup ends with its first
/// failure, so that its caller can report it.
///
/// The mirror is complete only if a comparing pass has ended, every change of the source has been applied,
/// the feed of the source has no further change at that moment, and the mark in the target states that. New
/// writes to the source are delayed so that such a moment comes on a busy server; correctness does not depend
/// on it. The delay has a limit that does not depend on this thread. When it is exceeded, writes go on, and
/// the attempt is repeated a few times. Then the target is closed and opened again, and must still contain
/// this. Last, the state file must record this, because the next start of the server would otherwise copy
/// into the target again. Only then is the mirror reported to be complete.
#pragma once

#include "mirror/copier.hpp"
#include "mirror/other_servers.hpp"
#include "mirror/served_store.hpp"
#include "mirror/state_file.hpp"
#include "mirror/status.hpp"
#include "mirror/switch_check.hpp"
#include "mirror/switch_claims.hpp"
#include "mirror/switching.hpp"
#include "mirror/unreturned_claims.hpp"

#include <gallery/error.hpp>
#include <gallery/storage_engine.hpp>
#include <gallery/task.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace gallery::mirror {

struct mirror_options {
    std::string source_name;  ///< for the mark
    std::string state_file;
    /// Checks that a mirror may be there, and completes the address. Blocks.
    std::function<result<target_address>(target_address)> check;
    /// Opens a target, or creates it if @p may_create. Blocks.
    std::function<result<std::unique_ptr<storage_engine>>(const target_address&, bool may_create)> open;
    /// Likewise a target that was the store of the server before a switch: an operator has configured it.
    /// Null: open.
    std::function<result<std::unique_ptr<storage_engine>>(const target_address&, bool may_create)>
        open_former;
    /// Removes what open and open_former have stored on this machine for other targets than @p kept (null:
    /// for all targets) and the store of the server. Blocks. Null: they store nothing.
    std::function<void(const target_address* kept)> clean_up;
    /// Delays new writes to the source until release_writes(), for the given time at most.
    std::function<void(std::chrono::milliseconds longest)> hold_writes;
    std::function<void()> release_writes;
    copy_options copying;
    std::chrono::milliseconds interval{200};      ///< how often the feed is read
    std::chrono::milliseconds retry{5'000};       ///< after a failure
    std::chrono::milliseconds longest_hold{700};  ///< of writes
    /// Null: the source is always the same, and the server cannot be switched to the target.
    served_store* served = nullptr;
    other_servers* others = nullptr;                     ///< null: no store can be shared by several servers
    std::chrono::milliseconds keep_turn{10'000};         ///< how often the turn of this server is renewed
    std::string active_file;                             ///< active_store_file
    std::chrono::milliseconds switch_timeout{1'000};     ///< for the last changes; writes wait meanwhile
    std::chrono::milliseconds longest_catch_up{30'000};  ///< before that; writes are slowed down
    std::chrono::milliseconds longest_giving_back{std::chrono::hours(24)};  ///< of unreturned_claims
    std::function<void(bool is_problem, std::string_view text)> log;
};

/// When a running step is to end.
struct interruptions {
    std::function<bool()> is_ending;    ///< the server stops
    std::function<bool()> has_command;  ///< a command is waiting
};

class runner {
public:
    /// All arguments outlive it. @p source is not used if mirror_options::served is set. @p context outlives
    /// both stores, whose threads post to it. @p unreturned can be from an earlier runner.
    runner(storage_engine& source, const mirror_options& options, interruptions when, status_board& board,
           asio::io_context& context, unreturned_claims& unreturned, saved_mirror what);
    runner(const runner&) = delete;
    runner& operator=(const runner&) = delete;
    /// Closes the target.
    ~runner() = default;

    /// Opens the target and begins to copy. Gives the source an identity if it has none. Errors: those of
    /// mirror_options::check and open, of copier::begin(), and of a source that cannot store its identity;
    /// invalid_argument for an engine that does not keep what is stored in it.
    result<void> open(bool any_source, bool may_create);

    /// Stores that the mirror continues after a restart of the server. Error: io_error.
    result<void> remember();

    enum class next : std::uint8_t {
        now,       ///< call step() again
        interval,  ///< after mirror_options::interval
        retry,     ///< after mirror_options::retry
        never,     ///< the mirror has ended: the status contains the outcome, and the state file is written
    };
    next step();

    /// Ends the mirror when it is complete. Error: busy if it does not follow.
    result<void> stop();
    /// Ends the mirror as it is. It is not complete. Then next::never applies. Error: io_error if the state
    /// file cannot be written; the mirror goes on when it can be. The status contains as its problem that the
    /// store that the server was switched from does not say so.
    result<void> abandon();
    /// Error: busy if it does not follow, or a verification is in progress.
    result<void> verify();
    /// Makes the target the store of the server, and the store of the server the target. Returns when it is
    /// done or given up. Errors, after which nothing has changed: busy if the mirror does not follow or the
    /// store is written too fast; corrupt if items are damaged, or the target differs although all changes
    /// were applied; those of switch_store() and of served_store::can_be().
    result<void> switch_over();

    /// Another server of the store may have a mirror after this. For a mirror that has ended.
    void end_turn();

    [[nodiscard]] const saved_mirror& what() const noexcept { return what_; }

private:
    using clock = std::chrono::steady_clock;

    struct session {
        std::shared_ptr<storage_engine> store;
        std::unique_ptr<copier> all;
        bool can_be_served = false;  ///< the server could be switched to it
    };
    class hold;

    template <class T>
    result<T> await(task<result<T>> work);

    [[nodiscard]] bool is_interrupted() const;
    /// Keeps the turn of this server. Errors: busy if another server of the store has a mirror; those of the
    /// store.
    result<void> take_turn();
    [[nodiscard]] bool is_turn_over() const {
        return options_.others != nullptr && clock::now() >= renew_turn_at_;
    }
    result<void> open_session(const target_address& where, bool any_source, bool may_create);
    [[nodiscard]] storage_engine& source() const;
    [[nodiscard]] std::string source_name() const;
    [[nodiscard]] result<target_address> check_target() const;
    [[nodiscard]] result<std::unique_ptr<storage_engine>> open_target(const target_address& where,
                                                                      bool may_create) const;
    /// Of the session.
    std::unique_ptr<copier> make_copier();
    /// Of a target that was the store of the server: stores which one has taken its place.
    result<void> note_former();
    /// Likewise, before it is given up. Opens it if it is not open.
    result<void> note_abandoned();
    result<next> advance();
    result<void> follow();
    result<next> lost_changes();
    result<void> end_round();
    result<next> finish();
    /// False: the source was written faster than it was followed, or the pass has begun again.
    result<bool> finish_held();
    result<next> complete();
    /// Opens the closed target and checks that it contains the mark and as much as was counted.
    result<void> check_closed(const mark& completed, const tenant_usage& counted);
    next fail(const error& why);

    [[nodiscard]] bool can_switch() const;
    [[nodiscard]] result<void> check_switch() const;
    /// All items but their bodies, while writes go on. Error: corrupt if the target lacks something.
    result<void> compare_stores();
    /// Compares the open items of the check before, and notes the changes after it.
    result<void> follow_and_check(clock::time_point until);
    /// Of the check, until @p until or the end of the server.
    result<void> run_check(task<result<void>> work, clock::time_point until);
    /// Until the mirror is a few changes behind, and few items are left to be compared.
    result<void> catch_up(clock::time_point until);
    result<void> follow_until(clock::time_point until);
    result<switched> try_to_switch(switch_claims& claims, const known_store& from, const known_store& to);
    result<switched> hold_and_switch(switch_claims& claims, known_store from, known_store to);
    result<switched> claim_and_switch();
    /// Of a target that a switch which was interrupted, or given up, has claimed.
    result<void> give_back_target();
    /// Tries again what unreturned_claims contains.
    void give_back_later();
    /// Before the claim of the target is given back. Precondition: the target is open.
    result<void> follow_again();
    void follow_in_reverse(switched done);

    /// The state file may contain either state after a failure.
    result<void> save(bool is_running, const std::string& problem);
    void say(bool is_problem, const std::string& text) const;
    [[nodiscard]] std::string name() const { return what_.target.engine + ":" + what_.target.path; }

    storage_engine& source_;
    const mirror_options& options_;
    const interruptions when_;
    status_board& board_;
    asio::io_context& context_;
    unreturned_claims& unreturned_;
    saved_mirror what_;

    std::optional<session> session_;
    bool is_saved_ = true;                           ///< the state file contains that the mirror is running
    bool was_following_ = false;                     ///< it is logged that the mirror follows
    copier::reach reached_ = copier::reach::behind;  ///< when the feed was read last
    bool is_stopping_ = false;
    int holds_ = 0;             ///< of this stop
    std::string stop_problem_;  ///< why the last stop or verification was given up

    bool is_switching_ = false;
    std::optional<switch_check> check_;  ///< during a switch
    bool is_verifying_ = false;
    bool is_verified_ = false;
    int losses_ = 0;             ///< of changes from the feed, during this verification
    bool has_given_up_ = false;  ///< a failure that no repetition helps
    verification verification_;
    std::uint64_t bodies_before_ = 0;

    clock::time_point renew_turn_at_ = clock::time_point::min();
    std::optional<clock::time_point> deadline_;  ///< while writes are held
};

}  // namespace gallery::mirror
