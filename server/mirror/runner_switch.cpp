// SPDX-License-Identifier: Apache-2.0
// The switch of the server to its mirror, and the mirror after it.
#include "mirror/identity.hpp"
#include "mirror/run_to_end.hpp"
#include "mirror/runner.hpp"
#include "mirror/same_folder.hpp"
#include "mirror/superseded.hpp"
#include "mirror/switching.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <limits>

namespace gallery::mirror {

namespace {

/// Of writes, while the mirror is caught up.
constexpr std::chrono::milliseconds longest_brake{200};
/// In which the writes that have waited go on.
constexpr std::chrono::milliseconds between_holds{50};
/// This many revisions are applied within a fraction of a second.
constexpr std::uint64_t lag_for_switch = 64;
constexpr int max_switch_attempts = 3;

task<result<void>> nap(std::chrono::milliseconds time) {
    using clock = std::chrono::steady_clock;
    asio::basic_waitable_timer<clock, asio::wait_traits<clock>, io_executor> timer(
        co_await asio::this_coro::executor);
    timer.expires_after(time);
    co_await timer.async_wait(use_task);
    co_return result<void>();
}

constexpr std::string_view no_change = "The store was not switched, and nothing has changed: ";

error not_switched(errc code, const std::string& why) {
    if (why.starts_with(no_change)) return {code, why};
    return {code, std::string(no_change) + why};
}

std::string address_text(const target_address& where) {
    return where.engine + ":" + where.path;
}

}  // namespace

storage_engine& runner::source() const {
    return options_.served != nullptr ? options_.served->engine() : source_;
}

std::string runner::source_name() const {
    return options_.served != nullptr ? options_.served->where().name() : options_.source_name;
}

std::unique_ptr<copier> runner::make_copier() {
    auto copying = options_.copying;
    copying.is_stopping = [this] { return is_interrupted(); };
    copying.report = [this](const figures& done) {
        board_.change([&done](mirror_status& s) { s.done = done; });
    };
    session_->can_be_served = options_.served != nullptr && options_.served->can_be(what_.target);
    auto made = std::make_unique<copier>(source(), *session_->store, source_name(), std::move(copying));
    made->expect(what_.former_identity);
    return made;
}

result<target_address> runner::check_target() const {
    if (what_.former_identity.empty()) return options_.check(what_.target);
    // It was the store of the server. Whoever may have chosen it, it was an operator.
    if (options_.served == nullptr || !is_same_store(options_.served->where().address, what_.target))
        return what_.target;
    return error{errc::invalid_argument,
                 "the mirror in " + address_text(what_.target) + " is the store of the server itself"};
}

result<std::unique_ptr<storage_engine>> runner::open_target(const target_address& where,
                                                            bool may_create) const {
    if (!what_.former_identity.empty() && options_.open_former)
        return options_.open_former(where, may_create);
    return options_.open(where, may_create);
}

result<void> runner::note_abandoned() {
    if (what_.former_identity.empty() && !unreturned_.has_target()) return {};
    if (!session_) {
        auto checked = check_target();
        if (!checked) return checked.error();
        constexpr bool may_create = false;
        auto store = open_target(*checked, may_create);
        if (!store) return store.error();
        const auto identity = run_to_end(context_, find_identity((*store)->documents()));
        if (!identity) return of_target(identity.error());
        if (!what_.former_identity.empty() && *identity != what_.former_identity)
            return error{errc::not_found, "another store is in " + checked->path};
        session_.emplace();
        session_->store = std::move(*store);
    }
    return unreturned_.has_target() ? give_back_target() : note_former();
}

result<void> runner::note_former() {
    if (what_.former_identity.empty() || options_.served == nullptr) return {};
    const auto decided = read_active_store(options_.active_file);
    if (!decided) return decided.error();
    if (!decided->has_value()) return {};
    return run_to_end(context_, note_successor(session_->store->documents(), successor_of(**decided)));
}

result<void> runner::give_back_target() {
    if (options_.others != nullptr && options_.others->can_share(what_.target)) {
        auto given =
            run_to_end(context_, give_back_store(session_->store->documents(), options_.others->id()));
        if (!given) return of_target(given.error());
    }
    unreturned_.settle_target();
    return note_former();
}

void runner::give_back_later() {
    if (!unreturned_.is_pending()) return;
    const bool can_reach_target = unreturned_.has_target() && session_ && follow_again();
    unreturned_.try_again(source().documents(), can_reach_target ? &session_->store->documents() : nullptr);
}

result<void> runner::follow_again() {
    return run_to_end(context_, session_->all->follow_again());
}

bool runner::can_switch() const {
    return options_.served != nullptr && session_ && session_->all->state().at == stage::following &&
           !what_.is_backup && !is_verifying_ && !is_stopping_ && !is_switching_ &&
           session_->all->done().damaged == 0 && session_->can_be_served;
}

result<void> runner::check_switch() const {
    if (options_.served == nullptr)
        return not_switched(errc::invalid_argument, "this server cannot be switched to another store.");
    if (what_.is_backup) return not_switched(errc::busy, "a backup is in progress.");
    if (!session_ || session_->all->state().at != stage::following)
        return not_switched(errc::busy, "the mirror does not follow. Wait until it does.");
    if (is_verifying_) return not_switched(errc::busy, "a verification is in progress.");
    if (is_stopping_) return not_switched(errc::busy, "the mirror is stopping.");
    if (session_->all->done().damaged > 0) {
        return not_switched(
            errc::corrupt,
            "items cannot be read from the store and may be missing in the mirror. Its status "
            "lists them. Restore or delete them first.");
    }
    return options_.served->can_be(what_.target);
}

result<void> runner::switch_over() {
    if (auto can = check_switch(); !can) return can;
    stop_problem_.clear();
    is_switching_ = true;
    board_.change([](mirror_status& s) {
        s.state = mirror_state::switching;
        s.can_switch = false;
        s.problem.clear();
    });
    const auto compared = compare_stores();
    auto done = compared ? claim_and_switch() : result<switched>(compared.error());
    check_.reset();
    is_switching_ = false;
    if (done) {
        follow_in_reverse(std::move(*done));
        return {};
    }
    // A failure of a store repeats itself in the next step, which then begins again.
    board_.change([](mirror_status& s) { s.state = mirror_state::following; });
    auto why = not_switched(done.error().code, done.error().message);
    say(true, why.message);
    return why;
}

result<switched> runner::claim_and_switch() {
    known_store from = options_.served->where();
    auto identity = run_to_end(context_, find_identity(source().documents()));
    if (!identity) return of_source(identity.error());
    from.identity = std::move(*identity);
    known_store to{what_.target, what_.target.engine, {}};
    identity = run_to_end(context_, find_identity(session_->store->documents()));
    if (!identity) return of_target(identity.error());
    to.identity = std::move(*identity);
    if (from.identity.empty() || to.identity.empty()) {
        return not_switched(errc::busy,
                            "one of the stores has no identity, by which it would be recognised. Restart the "
                            "server when the stores accept writes.");
    }
    const auto log = [this](bool is_problem, std::string_view text) { say(is_problem, std::string(text)); };
    switch_claims claims(options_.others, {source(), from}, {*session_->store, to}, log);
    const auto claimed = run_to_end(context_, claims.take());
    auto done = claimed ? try_to_switch(claims, from, to) : result<switched>(claimed.error());
    if (done) {
        unreturned_.settle();
        const auto released = run_to_end(context_, claims.complete(*done->before));
        if (!released) unreturned_.note_unreleased(released.error());
        return done;
    }
    const auto given = run_to_end(context_, claims.give_back(follow_again()));
    if (!given) unreturned_.note(claims.has_claimed_source(), claims.has_claimed_target(), given.error());
    return done;
}

result<switched> runner::try_to_switch(switch_claims& claims, const known_store& from,
                                       const known_store& to) {
    result<switched> done = not_switched(errc::busy, "it was not tried.");
    const auto until = clock::now() + options_.longest_catch_up;
    for (int i = 0; i < max_switch_attempts; ++i) {
        if (auto caught = catch_up(until); !caught) {
            done = caught.error();
            break;
        }
        done = hold_and_switch(claims, from, to);
        if (done || done.error().code != errc::busy || when_.is_ending()) break;
        // So that a write waits for one attempt only.
        static_cast<void>(run_to_end(context_, nap(between_holds)));
    }
    return done;
}

result<void> runner::compare_stores() {
    copier& all = *session_->all;
    check_.emplace(all.shared(), all.position());
    while (!check_->has_passed()) {
        if (is_turn_over()) {
            if (auto ours = take_turn(); !ours) return ours;
        }
        constexpr auto no_limit = clock::time_point::max();
        if (auto compared = run_check(check_->compare_page(), no_limit); !compared) return compared;
        if (auto followed = follow_and_check(no_limit); !followed) return followed;
    }
    return {};
}

result<void> runner::follow_and_check(clock::time_point until) {
    if (auto compared = run_check(check_->compare_open(), until); !compared) return compared;
    if (auto followed = follow_until(until); !followed) return followed;
    const bool is_end = reached_ == copier::reach::end;
    return run_check(check_->note_changes(session_->all->position(), is_end), clock::time_point::max());
}

result<void> runner::run_check(task<result<void>> work, clock::time_point until) {
    deadline_ = until;
    auto done = run_to_end(context_, std::move(work));
    deadline_.reset();
    if (when_.is_ending()) return not_switched(errc::unavailable, "the server is stopping.");
    if (!done && is_stopped(done.error())) return {};
    return done;
}

result<void> runner::catch_up(clock::time_point until) {
    const error busy = not_switched(
        errc::busy,
        "the store is written faster than the mirror can follow. Try again when there is less load.");
    auto before = std::numeric_limits<std::uint64_t>::max();
    for (;;) {
        if (auto reached = follow_and_check(until); !reached) return reached;
        const auto lag = board_.read().lag + check_->open();
        if (lag <= lag_for_switch) return {};
        if (clock::now() >= until) return busy;
        if (lag > before / 2) {
            // Otherwise it would never become small on a server that is written all the time.
            options_.hold_writes(longest_brake);
            session_->all->shared().is_hurried = true;
            const auto reached = follow_and_check(clock::now() + longest_brake);
            session_->all->shared().is_hurried = false;
            options_.release_writes();
            if (!reached) return reached;
            if (board_.read().lag + check_->open() <= lag_for_switch) return {};
            static_cast<void>(run_to_end(context_, nap(between_holds)));
        }
        before = lag;
    }
}

/// Other commands do not interrupt it, but the end of the server does.
result<void> runner::follow_until(clock::time_point until) {
    reached_ = copier::reach::behind;  // also if it is interrupted
    deadline_ = until;
    const auto followed = follow();
    deadline_.reset();
    if (!followed && !is_stopped(followed.error())) return followed;
    if (when_.is_ending()) return not_switched(errc::unavailable, "the server is stopping.");
    if (session_->all->state().at != stage::following) {
        return not_switched(
            errc::busy,
            "changes were lost from the feed, and the stores are compared again. Try again when "
            "the mirror follows.");
    }
    return {};
}

result<switched> runner::hold_and_switch(switch_claims& claims, known_store from, known_store to) {
    switch_parts parts{
        *options_.served,
        *session_->all,
        session_->store,
        *check_,
        std::move(from),
        std::move(to),
        options_.active_file,
        claims,
        options_.switch_timeout,
        [this](bool is_problem, std::string_view text) { say(is_problem, std::string(text)); }};
    session_->all->shared().is_hurried = true;
    deadline_ = clock::now() + options_.switch_timeout;
    auto done = run_to_end(context_, switch_store(std::move(parts)));
    deadline_.reset();
    session_->all->shared().is_hurried = false;
    return done;
}

void runner::follow_in_reverse(switched done) {
    const auto& before = done.decided.before;
    say(false, "the server was switched to " + address_text(done.decided.now.address) + ". " +
                   address_text(before.address) + " follows it as the mirror. Writes waited for at most " +
                   std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(done.held).count()) +
                   " ms");
    session_.reset();
    options_.served->move_caches(*done.before, before);
    renew_turn_at_ = clock::now();  // of the new store
    saved_mirror reversed;
    reversed.target = before.address;
    reversed.former_identity = before.identity;
    reversed.run = what_.run;
    reversed.backup_at = what_.backup_at;
    what_ = std::move(reversed);
    was_following_ = is_verified_ = has_given_up_ = false;
    board_.change([&](mirror_status& s) {
        const auto switches = s.switches + 1;
        auto claim_problem = std::move(s.claim_problem);
        s = mirror_status();
        s.claim_problem = std::move(claim_problem);
        s.state = mirror_state::following;
        s.run = what_.run;
        s.backup_at = what_.backup_at;
        s.engine = before.address.engine;
        s.path = before.address.path;
        s.position = done.position;
        s.switches = switches;
        s.switched = last_switch{done.decided.since, before.address.engine, before.address.path, done.held};
    });
    if (auto saved = save(true, "");
        !saved) {  // the next step tries it again, and opens the target after that
        static_cast<void>(fail(saved.error()));
        return;
    }
    session_.emplace();
    session_->store = std::move(done.before);
    session_->all = make_copier();
    auto begun = run_to_end(context_, session_->all->begin_equal(done.position));
    if (begun) begun = follow();
    if (!begun && !is_stopped(begun.error())) static_cast<void>(fail(begun.error()));
}

}  // namespace gallery::mirror
