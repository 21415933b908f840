// SPDX-License-Identifier: Apache-2.0
#include "mirror/service.hpp"

#include <gallery/clock.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>

#include <algorithm>
#include <exception>
#include <utility>

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace gallery::mirror {

namespace {

constexpr std::size_t max_shown = 100;

/// Batches without a hold, before the rest is applied while writes are held.
constexpr int max_catch_up_rounds = 20;
/// A rest of this many revisions is applied within a fraction of a second.
constexpr std::uint64_t small_rest = 64;
/// Holds of one stop.
constexpr int max_holds = 5;
/// The longest hold of writes.
constexpr std::chrono::milliseconds longest_hold{700};

/// Of this thread only, as Linux counts it.
void lower_priority() {
    constexpr int less = 10;
    static_cast<void>(::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), less));
}

error no_mirror() {
    return {errc::not_found, "There is no mirror."};
}

std::vector<std::string> first_of(const std::vector<std::string>& all) {
    return {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), max_shown))};
}

}  // namespace

service::service(storage_engine& source, service_options options)
    : source_(source),
      options_(std::move(options)),
      guard_(asio::make_work_guard(context_)),
      timer_(context_.get_executor()),
      thread_([this] {
          lower_priority();
          context_.run();
      }) {}

service::~service() {
    shut_down();
}

void service::shut_down() {
    if (!thread_.joinable()) return;
    is_ending_.store(true);
    asio::post(context_, [this] {
        timer_.cancel();
        if (!is_running_) close_session();
        guard_.reset();
    });
    thread_.join();
}

template <class T>
task<T> service::on_own_thread(task<T> work) {
    auto start = [this, work = std::move(work)](resumption<T> waiting) mutable {
        asio::co_spawn(context_, std::move(work),
                       [waiting = std::move(waiting)](std::exception_ptr thrown, T value) mutable {
                           if (thrown)
                               value = T(error{errc::internal, "the mirror's engine threw an exception"});
                           waiting.complete(std::move(value));
                       });
    };
    co_return co_await suspend<T>(std::move(start));
}

// ---- commands --------------------------------------------------------------------------------------

result<void> service::resume() {
    auto known = read_state_file(options_.state_file);
    if (!known) {
        change([&known](mirror_status& s) { s.problem = known.error().message; });
        return known.error();
    }
    if (!known->has_value()) return {};
    const wanted_mirror wanted = **known;
    change([&wanted](mirror_status& s) {
        s.state = wanted.is_running ? mirror_state::copying : mirror_state::stopped;
        s.engine = wanted.target.engine;
        s.path = wanted.target.path;
    });
    asio::post(context_, [this, wanted] {
        target_ = wanted.target;
        if (wanted.is_running) launch();
    });
    return {};
}

task<result<void>> service::start(target_address target, bool any_source) {
    auto work = begin(std::move(target), any_source);
    co_return co_await on_own_thread(std::move(work));
}

task<result<mirror_status>> service::stop(bool accept_damage) {
    auto start = [this, accept_damage](command waiting) {
        asio::post(context_, [this, accept_damage, waiting = std::move(waiting)]() mutable {
            if (!is_running_) {
                auto now = status();
                if (now.state == mirror_state::none) {
                    waiting.complete(result<mirror_status>(no_mirror()));
                } else {
                    waiting.complete(result<mirror_status>(std::move(now)));
                }
                return;
            }
            accepts_damage_ = accept_damage;
            stops_.push_back(std::move(waiting));
            timer_.cancel();
        });
    };
    co_return co_await suspend<result<mirror_status>>(std::move(start));
}

task<result<void>> service::verify() {
    auto work = begin_verification();
    co_return co_await on_own_thread(std::move(work));
}

task<result<void>> service::forget() {
    auto work = remove();
    co_return co_await on_own_thread(std::move(work));
}

mirror_status service::status() const {
    const lock_guard lock(mutex_);
    return status_;
}

// ---- the own thread --------------------------------------------------------------------------------

void service::change(const std::function<void(mirror_status&)>& how) {
    const lock_guard lock(mutex_);
    how(status_);
}

void service::say(bool is_problem, const std::string& text) const {
    if (options_.log) options_.log(is_problem, "mirror: " + text);
}

bool service::is_interrupted() const {
    return is_ending_.load() || (!stops_.empty() && !is_finishing_);
}

task<result<void>> service::begin(target_address target, bool any_source) {
    if (is_ending_.load()) co_return error{errc::unavailable, "the server is stopping"};
    if (is_running_) {
        co_return error{errc::already_exists, "There is a mirror already, in " + target_.engine + ":" +
                                                  target_.path + ". Stop it before another one is started."};
    }
    auto checked = options_.check(std::move(target));
    if (!checked) co_return checked.error();
    is_running_ = true;  // from here on other commands wait for run()
    target_ = std::move(*checked);
    change([this](mirror_status& s) {
        s = mirror_status();
        s.state = mirror_state::copying;
        s.engine = target_.engine;
        s.path = target_.path;
    });
    auto opened = co_await open_session(any_source);
    if (opened) {
        opened = write_state_file(options_.state_file, {target_, true});
        if (!opened) close_session();
    }
    if (!opened) {
        // As before: the refused target is not remembered.
        auto before = read_state_file(options_.state_file);
        change([&before](mirror_status& s) {
            s = mirror_status();
            if (!before || !before->has_value()) return;
            s.state = mirror_state::stopped;
            s.engine = (*before)->target.engine;
            s.path = (*before)->target.path;
        });
        is_running_ = false;
        answer_stop(opened.error());
        co_return opened;
    }
    say(false, "copying to " + target_.engine + ":" + target_.path);
    launch();
    co_return result<void>();
}

task<result<void>> service::open_session(bool any_source) {
    // Again at each start, because the store of the server and the allowed folders may be others now.
    auto checked = options_.check(target_);
    if (!checked) co_return checked.error();
    auto store = options_.open(target_);
    if (!store) co_return store.error();
    session_.emplace();
    session_->store = std::move(*store);
    auto copying = options_.copying;
    copying.is_stopping = [this] { return is_interrupted(); };
    copying.report = [this](const figures& done) {
        change([&done, this](mirror_status& s) {
            s.done = done;
            s.position = session_->all->position();
        });
    };
    session_->all =
        std::make_unique<copier>(source_, *session_->store, options_.source_name, std::move(copying));
    auto begun = co_await session_->all->begin(any_source);
    if (!begun) close_session();
    co_return begun;
}

void service::close_session() {
    session_.reset();
}

void service::launch() {
    is_running_ = true;
    asio::co_spawn(context_, run(), [this](std::exception_ptr thrown) {
        if (!thrown) return;
        is_running_ = false;
        is_finishing_ = false;
        close_session();
        fail({errc::internal, "the mirror's engine threw an exception"});
        answer_stop(error{errc::internal, "the mirror's engine threw an exception"});
    });
}

task<void> service::run() {
    while (!is_ending_.load()) {
        auto done = co_await work_on();
        if (is_ending_.load()) break;
        if (!stops_.empty()) {
            const bool has_ended = co_await end_as_asked();
            if (has_ended) co_return;
            continue;
        }
        if (done) {
            co_await wait(options_.interval);
        } else if (!is_stopped(done.error())) {
            fail(done.error());
            close_session();
            co_await wait(options_.retry);
        }
    }
    close_session();
    is_running_ = false;
    answer_stop(error{errc::unavailable, "the server is stopping"});
}

/// Whatever is to be done next: open, copy, follow, verify.
task<result<void>> service::work_on() {
    if (!session_) {
        auto opened = co_await open_session(false);
        if (!opened) co_return opened;
    }
    copier& all = *session_->all;
    if (all.state().at != stage::following) {
        change([](mirror_status& s) { s.state = mirror_state::copying; });
        auto copied = co_await all.copy();
        if (!copied) co_return copied;
    }
    auto followed = co_await follow_once();
    if (!followed || !std::exchange(wants_verification_, false)) co_return followed;
    auto compared = co_await compare_stores();
    change([](mirror_status& s) { s.is_verifying = false; });
    co_return compared;
}

/// Errors: those of copier::follow(). After a gap the state is copying again.
task<result<void>> service::follow_once() {
    copier& all = *session_->all;
    const auto reached = co_await all.follow();
    if (!reached) co_return reached.error();
    const auto last = co_await source_.feed().last();
    if (!last) co_return of_source(last.error());
    const auto now = now_ms();
    auto damage = first_of(all.problems());
    bool was_copying = false;
    change([&](mirror_status& s) {
        was_copying = s.state != mirror_state::following;
        s.state = *reached == copier::reach::gap ? mirror_state::copying : mirror_state::following;
        s.position = all.position();
        s.lag = *last - std::min(*last, all.position());
        if (*reached == copier::reach::end) s.current_at = now;
        s.damage = std::move(damage);
        s.problem = s.damage.empty() ? std::string()
                                     : std::to_string(all.done().damaged) +
                                           " items cannot be read from the store and are missing";
    });
    if (was_copying && *reached != copier::reach::gap)
        say(false, "following in " + target_.engine + ":" + target_.path);
    co_return result<void>();
}

/// Ends early when a command arrives or the server ends.
task<void> service::wait(std::chrono::milliseconds how_long) {
    if (is_ending_.load() || !stops_.empty() || wants_verification_) co_return;
    timer_.expires_after(how_long);
    boost::system::error_code cancelled;
    co_await timer_.async_wait(asio::redirect_error(use_task, cancelled));
}

void service::fail(const error& why) {
    bool is_new = false;
    change([&](mirror_status& s) {
        is_new = s.state != mirror_state::failed || s.problem != why.message;
        s.state = mirror_state::failed;
        s.problem = why.message;
        s.is_verifying = false;
    });
    if (is_new) say(true, why.message + ". It is tried again");
}

void service::answer_stop(result<mirror_status> answer) {
    for (auto& each : std::exchange(stops_, {}))
        each.complete(answer);
}

/// Precondition: somebody waits for the end. Afterwards nobody does. False: the mirror goes on.
task<bool> service::end_as_asked() {
    bool is_complete = false;
    if (session_ && session_->all->state().at == stage::following) {
        auto finished = co_await finish();
        if (!finished) {
            answer_stop(finished.error());
            co_return false;
        }
        is_complete = true;
    }
    close_session();
    auto stored = write_state_file(options_.state_file, {target_, false});
    if (!stored) say(true, stored.error().message);
    change([is_complete](mirror_status& s) {
        s.state = mirror_state::stopped;
        s.is_complete = is_complete;
        s.lag = 0;
        s.is_verifying = false;
        if (is_complete) s.problem.clear();
    });
    const auto now = status();
    say(false, target_.engine + ":" + target_.path +
                   (is_complete ? " is a complete copy as of revision " + std::to_string(now.position)
                                : std::string(" is stopped before it is complete")));
    is_running_ = false;  // before the answers: whoever gets one may start the next mirror
    answer_stop(now);
    co_return true;
}

task<result<void>> service::finish() {
    is_finishing_ = true;
    auto finished = co_await finish_held();
    is_finishing_ = false;
    co_return finished;
}

/// The source is not written while the last changes are applied, so the target becomes equal to one revision
/// of it. Before, the rest is made small, so that the hold is short.
task<result<void>> service::finish_held() {
    copier& all = *session_->all;
    for (int hold = 0; hold < max_holds && !is_ending_.load(); ++hold) {
        for (int i = 0; i < max_catch_up_rounds; ++i) {
            const auto reached = co_await all.follow();
            if (!reached) co_return reached.error();
            if (*reached == copier::reach::gap)
                co_return error{errc::busy, "The mirror has to compare again."};
            const auto last = co_await source_.feed().last();
            if (!last) co_return of_source(last.error());
            if (*last - std::min(*last, all.position()) <= small_rest) break;
        }
        const bool is_held = co_await options_.hold_writes();
        if (!is_held) continue;
        const release_at_end release(options_.release_writes);
        const auto deadline = clock::now() + longest_hold;
        result<copier::reach> reached = copier::reach::behind;
        while (reached && *reached == copier::reach::behind && clock::now() < deadline)
            reached = co_await all.follow();
        result<void> completed;
        const bool is_at_end = reached && *reached == copier::reach::end;
        if (is_at_end) completed = co_await all.complete(accepts_damage_);
        if (!reached) co_return reached.error();
        if (is_at_end) {
            change([&all](mirror_status& s) { s.position = all.position(); });
            co_return completed;
        }
    }
    co_return error{
        errc::busy,
        "The store is written faster than the mirror can follow. Try again when there is less load."};
}

task<result<void>> service::begin_verification() {
    const auto now = status();
    if (now.state == mirror_state::none) co_return no_mirror();
    if (now.state != mirror_state::following) {
        co_return error{errc::busy, "The mirror does not follow. It can be verified when it has caught up."};
    }
    if (now.is_verifying) co_return error{errc::busy, "A verification is running."};
    wants_verification_ = true;
    change([](mirror_status& s) {
        s.is_verifying = true;
        s.verified_images = 0;
    });
    timer_.cancel();
    co_return result<void>();
}

task<result<void>> service::compare_stores() {
    copier& all = *session_->all;
    comparison_options how;
    how.catch_up = [&all]() -> task<result<void>> {
        if (auto copied = co_await all.copy(); !copied) co_return copied;
        const auto reached = co_await all.follow();
        if (!reached) co_return reached.error();
        co_return result<void>();
    };
    how.hold_writes = options_.hold_writes;
    how.release_writes = options_.release_writes;
    how.progress = [this](std::uint64_t images) {
        change([images](mirror_status& s) { s.verified_images = images; });
    };
    auto compared = co_await compare(all.shared(), std::move(how));
    if (!compared) co_return compared.error();
    verified outcome;
    outcome.time = now_ms();
    outcome.rev = all.position();
    outcome.images = compared->images;
    outcome.problems = first_of(compared->problems);
    say(!outcome.problems.empty(),
        outcome.problems.empty()
            ? "verified: " + std::to_string(outcome.images) + " images are the same in both stores"
            : "the verification has found differences, first: " + outcome.problems.front());
    change([&outcome](mirror_status& s) { s.last_verified = outcome; });
    co_return result<void>();
}

task<result<void>> service::remove() {
    const auto now = status();
    if (now.state == mirror_state::none && now.problem.empty()) co_return no_mirror();
    if (is_running_) co_return error{errc::busy, "Stop the mirror first."};
    if (auto removed = remove_state_file(options_.state_file); !removed) co_return removed;
    change([](mirror_status& s) { s = mirror_status(); });
    co_return result<void>();
}

}  // namespace gallery::mirror
