// SPDX-License-Identifier: Apache-2.0
#include "mirror/runner.hpp"

#include "mirror/identity.hpp"

#include <gallery/clock.hpp>

#include <algorithm>

namespace gallery::mirror {

namespace {

/// Batches that are applied before writes are held, so that little is left for the hold.
constexpr int max_rounds_before_hold = 20;
/// This many revisions are applied within a fraction of a second.
constexpr std::uint64_t small_lag = 64;
constexpr int max_holds = 5;
constexpr std::uint64_t max_verification_rounds = 4;
constexpr int max_losses = 4;

std::vector<std::string> first_of(const std::vector<std::string>& all) {
    const auto count = std::min(all.size(), mirror_status::max_listed);
    return {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count)};
}

std::string missing_items(std::uint64_t count, const std::vector<std::string>& damage) {
    std::string out = std::to_string(count) + (count == 1 ? " item" : " items") +
                      " cannot be read from the store and may be missing in the mirror";
    if (!damage.empty()) out += ", first: " + damage.front();
    return out;
}

}  // namespace

/// Writes are held while it exists.
class runner::hold {
public:
    explicit hold(runner& of) : of_(of) {
        of_.session_->all->shared().is_hurried = true;
        of_.deadline_ = clock::now() + of_.options_.longest_hold;
        of_.options_.hold_writes(of_.options_.longest_hold);
    }
    hold(const hold&) = delete;
    hold& operator=(const hold&) = delete;
    ~hold() {
        of_.options_.release_writes();
        of_.deadline_.reset();
        of_.session_->all->shared().is_hurried = false;
    }

private:
    runner& of_;
};

runner::runner(storage_engine& source, const mirror_options& options, interruptions when, status_board& board,
               asio::io_context& context, unreturned_claims& unreturned, saved_mirror what)
    : source_(source),
      options_(options),
      when_(std::move(when)),
      board_(board),
      context_(context),
      unreturned_(unreturned),
      what_(std::move(what)) {}

/// Runs @p work to its end on this thread.
template <class T>
result<T> runner::await(task<result<T>> work) {
    result<T> out = error{errc::internal, "a storage engine threw an exception, expected an error"};
    context_.restart();
    asio::co_spawn(context_, std::move(work), [&out](std::exception_ptr thrown, result<T> value) {
        if (!thrown) out = std::move(value);
    });
    context_.run();
    return out;
}

bool runner::is_interrupted() const {
    if (when_.is_ending()) return true;
    return deadline_ ? clock::now() >= *deadline_ : when_.has_command() || is_turn_over();
}

result<void> runner::take_turn() {
    if (options_.others == nullptr) return {};
    const auto ours = await(options_.others->take_turn());
    if (!ours) return of_source(ours.error());
    if (!*ours) {
        return error{errc::busy,
                     "another server on the same store has a mirror. This one continues when that one has "
                     "ended, or its server has been away for a minute"};
    }
    renew_turn_at_ = clock::now() + options_.keep_turn;
    return {};
}

void runner::end_turn() {
    if (options_.others == nullptr) return;
    const auto ended = await(options_.others->end_turn());
    if (!ended)
        say(true, "other servers on the store wait before they have a mirror: " + ended.error().message);
}

void runner::say(bool is_problem, const std::string& text) const {
    if (options_.log) options_.log(is_problem, "mirror: " + text);
}

result<void> runner::save(bool is_running, const std::string& problem) {
    what_.is_running = is_running;
    what_.problem = problem;
    auto written = write_state_file(options_.state_file, what_);
    is_saved_ = written && is_running;
    return written;
}

result<void> runner::open(bool any_source, bool may_create) {
    if (auto ours = take_turn(); !ours) return ours;
    // At each opening, because the folders that are allowed may have changed.
    auto checked = check_target();
    if (!checked) return checked.error();
    const auto identity = await(ensure_identity(source().documents()));
    if (!identity) {
        return error{identity.error().code,
                     "the store has no identity by which its mirror would be recognised, and it cannot be "
                     "stored: " +
                         identity.error().message};
    }
    if (auto opened = open_session(*checked, any_source, may_create); !opened) return opened;
    if (session_->all->is_new()) {
        // At the end it would be too late.
        session_.reset();
        constexpr bool again = false;
        auto opened = open_session(*checked, any_source, again);
        const bool is_kept = opened && !session_->all->is_new();
        if (!opened && opened.error().code != errc::not_found) return opened;
        if (!is_kept) {
            session_.reset();
            return error{errc::invalid_argument, "the engine " + checked->engine +
                                                     " does not keep what is stored in it: after it was "
                                                     "closed and opened again it was empty"};
        }
    }
    what_.target = std::move(*checked);
    return {};
}

result<void> runner::open_session(const target_address& where, bool any_source, bool may_create) {
    auto store = open_target(where, may_create);
    if (!store) return store.error();
    session_.emplace();
    session_->store = std::move(*store);
    session_->all = make_copier();
    auto begun = await(session_->all->begin(any_source));
    if (begun) begun = give_back_target();
    if (!begun) session_.reset();
    return begun;
}

result<void> runner::remember() {
    what_.completed.reset();
    auto written = save(true, "");
    if (written) say(false, "copying to " + name());
    return written;
}

runner::next runner::step() {
    auto done = advance();
    if (done) return *done;
    if (is_stopped(done.error())) return next::now;
    return fail(done.error());
}

result<runner::next> runner::advance() {
    give_back_later();
    if (!is_saved_) {
        // An end that could not be stored may be in the file nevertheless. The target is not to be written
        // before the file says that the mirror goes on.
        what_.completed.reset();
        if (auto saved = save(true, ""); !saved) return saved.error();
    }
    if (session_ && is_turn_over()) {
        if (auto ours = take_turn(); !ours) return ours.error();
    }
    if (!session_) {
        constexpr bool any_source = false;
        constexpr bool may_create = false;
        if (auto opened = open(any_source, may_create); !opened) return opened.error();
    }
    copier& all = *session_->all;
    if (all.state().at != stage::following) {
        board_.change([this](mirror_status& s) {
            if (!is_verifying_) s.state = mirror_state::copying;
            s.can_switch = false;
        });
        const auto copied = await(all.copy());
        if (!copied) return copied.error();
        if (*copied == copier::reach::gap) return lost_changes();
    }
    if (auto followed = follow(); !followed) return followed.error();
    if (reached_ == copier::reach::gap) return lost_changes();
    if (reached_ != copier::reach::end) return next::now;
    if (is_verifying_) {
        if (auto ended = end_round(); !ended) return ended.error();
        return next::now;
    }
    if (what_.is_backup && what_.verifies && !is_verified_) {
        if (auto begun = verify(); !begun) return begun.error();
        return next::now;
    }
    if (is_stopping_ || what_.is_backup) return finish();
    return next::interval;
}

result<void> runner::follow() {
    copier& all = *session_->all;
    const auto begun = now_ms();  // at the end of the feed, all writes before this are applied
    const auto reached = await(all.follow());
    if (!reached) return reached.error();
    const auto last = await(source().feed().last());
    if (!last) return of_source(last.error());
    reached_ = *reached;
    const bool follows = reached_ != copier::reach::gap;
    const auto damage = first_of(all.problems());
    const bool may_switch = can_switch();
    board_.change([&](mirror_status& s) {
        if (!is_verifying_ && !is_switching_)
            s.state = follows ? mirror_state::following : mirror_state::copying;
        s.can_switch = may_switch;
        s.is_retried = false;
        s.done = all.done();
        s.position = all.position();
        s.lag = *last - std::min(*last, all.position());
        if (reached_ == copier::reach::end) s.current_at = begun;
        s.damage = damage;
        s.problem = damage.empty() ? stop_problem_ : missing_items(all.done().damaged, damage);
    });
    if (follows && !was_following_) say(false, "following in " + name());
    was_following_ = follows;
    return {};
}

/// The pass has begun again. A verification is then repeated after it, but not without end.
result<runner::next> runner::lost_changes() {
    if (!is_verifying_ || ++losses_ < max_losses) return next::now;
    const error busy{errc::busy,
                     "The store is written so fast that changes are lost before they are read, so "
                     "the mirror could not be verified. Try again when there is less load."};
    if (what_.is_backup) return busy;
    is_verifying_ = false;
    stop_problem_ = busy.message;
    board_.change([&busy](mirror_status& s) {
        s.is_verifying = false;
        s.state = mirror_state::copying;
        s.problem = busy.message;
    });
    say(true, busy.message);
    return next::now;
}

// ---- verification ----------------------------------------------------------------------------------

result<void> runner::verify() {
    if (!session_ || session_->all->state().at != stage::following)
        return error{errc::busy, "The mirror does not follow. It can be verified when it has caught up."};
    if (is_verifying_) return error{errc::busy, "A verification is in progress."};
    if (auto begun = await(session_->all->begin_verification()); !begun) return begun;
    is_verifying_ = true;
    is_verified_ = false;
    losses_ = 0;
    stop_problem_.clear();
    verification_ = verification();
    bodies_before_ = session_->all->done().bodies_compared;
    board_.change([](mirror_status& s) {
        s.is_verifying = true;
        s.can_switch = false;
        s.verified.reset();
    });
    return {};
}

/// Precondition: the pass has ended, and all changes since then are applied.
result<void> runner::end_round() {
    copier& all = *session_->all;
    if (!all.is_verified()) return await(all.begin_verification());  // see lost_changes()
    ++verification_.rounds;
    const auto found = all.differences();
    verification_.images = all.done().images_total;
    verification_.bodies =
        all.done().bodies_compared - std::exchange(bodies_before_, all.done().bodies_compared);
    for (const auto& text : found) {
        if (verification_.differences.size() < mirror_status::max_listed)
            verification_.differences.push_back(text);
    }
    if (!found.empty()) say(true, "the verification has found and repaired a difference: " + found.front());
    if (!found.empty() && verification_.rounds < max_verification_rounds)
        return await(all.begin_verification());
    verification_.is_same = found.empty();
    verification_.time = now_ms();
    is_verifying_ = false;
    is_verified_ = true;
    board_.change([this](mirror_status& s) {
        s.is_verifying = !verification_.is_same;  // otherwise until it has failed
        s.verified = verification_;
    });
    if (found.empty()) {
        say(false,
            "verified: " + std::to_string(verification_.images) + " images are the same in both stores");
        return {};
    }
    has_given_up_ = true;
    return error{errc::corrupt, "the mirror still differs from the store after " +
                                    std::to_string(verification_.rounds) +
                                    " verifications that repaired it, first: " + found.front() +
                                    ". Check the disk of the mirror"};
}

// ---- the end ---------------------------------------------------------------------------------------

result<void> runner::stop() {
    const bool follows = session_ && session_->all->state().at == stage::following;
    if (!follows && !is_verifying_) {
        return error{
            errc::busy,
            "The mirror does not follow, so it is not complete. Wait until it follows, or abandon it."};
    }
    is_stopping_ = true;
    holds_ = 0;
    stop_problem_.clear();
    board_.change([](mirror_status& s) {
        s.is_stopping = true;
        s.can_switch = false;
    });
    return {};
}

result<void> runner::abandon() {
    what_.completed.reset();
    if (auto saved = save(false, ""); !saved) {
        return error{saved.error().code,
                     "the mirror was not abandoned, because this cannot be stored: " + saved.error().message};
    }
    std::string problem;
    if (const auto noted = note_abandoned(); !noted) {
        problem =
            "the store in " + name() +
            " is not marked as superseded, or is still claimed for a switch, so do not start a server on "
            "it: " +
            noted.error().message;
        say(true, problem);
    }
    unreturned_.settle_target();
    session_.reset();
    board_.change([&problem](mirror_status& s) {
        s.state = mirror_state::stopped;
        s.is_stopping = s.is_verifying = s.is_retried = s.can_switch = false;
        s.completed.reset();
        s.lag = 0;
        s.problem = problem;
    });
    say(false, name() + " was abandoned and is not complete");
    return {};
}

/// Precondition: the mirror follows and is not being verified.
result<runner::next> runner::finish() {
    copier& all = *session_->all;
    if (all.done().damaged > 0 && !what_.skips_damaged) {
        const error damaged{errc::corrupt, missing_items(all.done().damaged, all.problems())};
        if (what_.is_backup) return damaged;
        is_stopping_ = false;
        board_.change([](mirror_status& s) { s.is_stopping = false; });
        return next::now;
    }
    for (int i = 0; i < max_rounds_before_hold; ++i) {
        if (auto followed = follow(); !followed) return followed.error();
        if (all.state().at != stage::following) return next::now;
        if (board_.read().lag <= small_lag) break;
    }
    if (unreturned_.has_target()) {
        if (auto given = give_back_target(); !given) return given.error();
    }
    const auto is_complete = finish_held();
    if (!is_complete) return is_complete.error();
    if (*is_complete) return complete();
    if (++holds_ < max_holds) return next::now;
    const error busy{errc::busy,
                     "The store is written faster than the mirror can follow, so the mirror did not become "
                     "complete. Try again when there is less load."};
    if (what_.is_backup) return busy;
    is_stopping_ = false;
    stop_problem_ = busy.message;
    board_.change([&busy](mirror_status& s) {
        s.is_stopping = false;
        s.problem = busy.message;
    });
    say(true, busy.message);
    return next::now;
}

result<bool> runner::finish_held() {
    copier& all = *session_->all;
    const hold held(*this);
    result<copier::reach> reached = copier::reach::behind;
    while (reached && *reached == copier::reach::behind)
        reached = await(all.follow());
    if (!reached && is_stopped(reached.error()) && !when_.is_ending()) return false;  // the time limit
    if (!reached) return reached.error();
    if (*reached == copier::reach::gap) return false;
    const auto completed = await(all.complete(what_.skips_damaged));
    if (completed) return true;
    // Written since, by a write that had begun before the hold.
    if (completed.error().code == errc::unavailable) return false;
    return completed.error();
}

/// Precondition: the mark says that the target is complete.
result<runner::next> runner::complete() {
    copier& all = *session_->all;
    const std::optional<tenant_id> everybody;
    const auto used = await(session_->store->images().usage(everybody));
    if (!used) return of_target(used.error());
    completion done;
    done.rev = all.position();
    done.damaged = all.done().damaged;
    done.time = now_ms();
    done.images = used->images.count;
    done.bytes = used->images.original_bytes + used->images.preview_bytes;
    done.versions = used->kept.count;
    const mark completed = all.state();
    session_.reset();
    if (auto checked = check_closed(completed, *used); !checked) return checked.error();
    what_.completed = done;
    const auto backup_before = what_.backup_at;
    if (what_.is_backup) what_.backup_at = done.time;
    if (auto saved = save(false, ""); !saved) {
        what_.backup_at = backup_before;
        return error{saved.error().code,
                     "the mirror was complete, but this cannot be stored: " + saved.error().message};
    }
    board_.change([this, &done](mirror_status& s) {
        s.state = mirror_state::stopped;
        s.backup_at = what_.backup_at;
        s.is_stopping = s.can_switch = false;
        s.lag = 0;
        s.position = done.rev;
        s.problem.clear();
        s.completed = done;
    });
    say(false, name() + " is a complete copy as of revision " + std::to_string(done.rev));
    return next::never;
}

result<void> runner::check_closed(const mark& completed, const tenant_usage& counted) {
    constexpr bool may_create = false;
    const auto store = open_target(what_.target, may_create);
    if (!store) {
        return error{store.error().code,
                     "the mirror cannot be opened after it was completed: " + store.error().message};
    }
    const auto known = await(find_mark((*store)->documents()));
    if (!known) return of_target(known.error());
    const std::optional<tenant_id> everybody;
    const auto used = await((*store)->images().usage(everybody));
    if (!used) return of_target(used.error());
    if (known->has_value() && (*known)->value == completed && *used == counted) return {};
    return error{
        errc::corrupt,
        "the mirror was complete, but does not contain what was stored in it after it was closed and "
        "opened again. Check its disk"};
}

runner::next runner::fail(const error& why) {
    session_.reset();
    const bool is_retried = !what_.is_backup && !has_given_up_;
    bool is_new = false;
    board_.change([&](mirror_status& s) {
        is_new = s.state != mirror_state::failed || s.problem != why.message;
        s.state = mirror_state::failed;
        s.problem = why.message;
        s.is_retried = is_retried;
        s.is_stopping = s.is_verifying = s.can_switch = false;
        s.completed.reset();
    });
    is_stopping_ = is_verifying_ = was_following_ = false;
    if (is_new) say(true, why.message + (is_retried ? ". The target is opened again every few seconds" : ""));
    if (is_retried) return next::retry;
    what_.completed.reset();
    if (auto saved = save(false, why.message); !saved) {
        const std::string also = why.message + ". The next start of the server continues it, because this " +
                                 "cannot be stored: " + saved.error().message;
        board_.change([&also](mirror_status& s) { s.problem = also; });
        say(true, also);
    }
    return next::never;
}

}  // namespace gallery::mirror
