// SPDX-License-Identifier: Apache-2.0
#include "mirror/service.hpp"

#include "mirror/low_priority.hpp"
#include "mirror/same_folder.hpp"

#include <gallery/uuid.hpp>

#include <boost/asio/post.hpp>

#include <future>
#include <utility>

namespace gallery::mirror {

namespace {

/// Without a mirror. A command ends the wait.
constexpr std::chrono::milliseconds idle_wait{60'000};

using opener = std::function<result<std::unique_ptr<storage_engine>>(const target_address&, bool)>;

/// A thread inherits the priority of the one that starts it. An engine starts its threads when it is opened,
/// and they serve requests after a switch.
opener opened_on(asio::thread_pool& threads, opener open) {
    if (!open) return open;
    return [&threads, open = std::move(open)](const target_address& where, bool may_create) {
        std::packaged_task<result<std::unique_ptr<storage_engine>>()> work(
            [&] { return open(where, may_create); });
        auto opened = work.get_future();
        asio::post(threads, std::move(work));
        return opened.get();
    };
}

mirror_options with_opener_on(asio::thread_pool& threads, mirror_options options) {
    options.open = opened_on(threads, std::move(options.open));
    options.open_former = opened_on(threads, std::move(options.open_former));
    return options;
}

error server_stops() {
    return {errc::unavailable, "the server is stopping"};
}

/// A server has one mirror or backup at a time.
error there_is_one(const mirror_status& now, bool wants_backup) {
    const std::string where = ", in " + now.engine + ":" + now.path + ". ";
    if (now.is_backup) {
        return {errc::already_exists, "There is a backup in progress already" + where +
                                          "Wait until it has ended, or abandon it: gallery-admin mirror stop "
                                          "--abandon."};
    }
    std::string text = "There is a mirror already" + where;
    text += wants_backup
                ? "To make a backup, stop the mirror before and start it again after: gallery-admin mirror "
                  "stop, backup, mirror start. Only differences are copied to it then."
                : "Stop or abandon it before another one is started.";
    return {errc::already_exists, std::move(text)};
}

/// What belongs to the server and not to a mirror is kept.
void clear(mirror_status& in) {
    mirror_status out;
    out.switches = in.switches;
    out.switched = std::move(in.switched);
    out.claim_problem = std::move(in.claim_problem);
    in = std::move(out);
}

void show(mirror_status& in, const saved_mirror& what) {
    clear(in);
    in.run = what.run;
    in.engine = what.target.engine;
    in.path = what.target.path;
    in.is_backup = what.is_backup;
    in.problem = what.problem;
    in.completed = what.completed;
    in.backup_at = what.backup_at;
    if (what.completed) in.position = what.completed->rev;
    in.state = what.is_running        ? mirror_state::copying
               : what.problem.empty() ? mirror_state::stopped
                                      : mirror_state::failed;
}

}  // namespace

service::service(storage_engine& source, mirror_options options)
    : source_(source), options_(with_opener_on(opening_, std::move(options))), thread_([this] {
          lower_priority();
          work();
      }) {}

service::~service() {
    shut_down();
}

void service::end_soon() {
    const lock_guard lock(mutex_);
    is_ending_.store(true);
    changed_.notify_all();
}

bool service::wait_for_end(std::chrono::milliseconds longest) {
    const auto until = std::chrono::steady_clock::now() + longest;
    const lock_guard lock(mutex_);
    while (!is_closed_) {
        if (changed_.wait_until(mutex_, until) == std::cv_status::timeout) return is_closed_;
    }
    return true;
}

void service::shut_down() {
    if (!thread_.joinable()) return;
    end_soon();
    thread_.join();
}

result<void> service::resume() {
    auto known = read_state_file(options_.state_file);
    if (!known) {
        board_.change([&known](mirror_status& s) {
            s.state = mirror_state::failed;
            s.problem = known.error().message;
        });
        return known.error();
    }
    if (auto completed = complete_switch(*known); !completed) return completed;
    clean_up(known->has_value() ? &(*known)->target : nullptr);
    if (!known->has_value()) return {};
    const saved_mirror what = **known;
    board_.change([&what](mirror_status& s) { show(s, what); });
    if (!what.is_running) return {};
    std::function<result<void>()> run = [this, what]() -> result<void> {
        runner_ = make_runner(what);  // it opens the target in its first step
        return {};
    };
    const lock_guard lock(mutex_);
    commands_.push_back({std::move(run), std::nullopt});
    changed_.notify_all();
    return {};
}

/// A crash after the decision of a switch, before the mirror was recorded in the other direction.
result<void> service::complete_switch(std::optional<saved_mirror>& known) const {
    if (options_.served == nullptr || !known || !known->is_running) return {};
    const auto decided = read_active_store(options_.active_file);
    if (!decided) return decided.error();
    if (!decided->has_value() || !is_same_store((*decided)->now.address, known->target)) return {};
    saved_mirror next;
    next.target = (*decided)->before.address;
    next.former_identity = (*decided)->before.identity;
    next.is_running = true;
    next.run = known->run;
    next.backup_at = known->backup_at;
    known = std::move(next);
    return write_state_file(options_.state_file, *known);
}

// ---- commands --------------------------------------------------------------------------------------

task<service::answer> service::execute(std::function<result<void>()> run) {
    auto start = [this, run = std::move(run)](resumption<answer> waiting) mutable {
        {
            const lock_guard lock(mutex_);
            if (!is_closed_) {
                commands_.push_back({std::move(run), std::move(waiting)});
                changed_.notify_all();
                return;
            }
        }
        waiting.complete(answer(server_stops()));
    };
    co_return co_await suspend<answer>(std::move(start));
}

task<service::answer> service::start(start_request request) {
    return execute([this, request = std::move(request)] { return begin(request); });
}

task<service::answer> service::stop() {
    return execute([this]() -> result<void> {
        if (auto exists = check_exists(); !exists) return exists;
        return runner_ ? runner_->stop() : result<void>();
    });
}

task<service::answer> service::abandon() {
    return execute([this]() -> result<void> {
        if (auto exists = check_exists(); !exists) return exists;
        if (!runner_) return {};
        if (auto ended = runner_->abandon(); !ended) return ended;
        runner_->end_turn();
        runner_.reset();
        return {};
    });
}

task<service::answer> service::verify() {
    return execute([this]() -> result<void> {
        if (auto exists = check_exists(); !exists) return exists;
        if (!runner_) return error{errc::busy, "The mirror has ended. Start it again to verify it."};
        return runner_->verify();
    });
}

task<service::answer> service::switch_over() {
    return execute([this]() -> result<void> {
        if (auto exists = check_exists(); !exists) return exists;
        if (!runner_) return error{errc::busy, "The mirror has ended. Start it again before a switch."};
        return runner_->switch_over();
    });
}

task<service::answer> service::forget() {
    return execute([this] { return remove(); });
}

// ---- the own thread --------------------------------------------------------------------------------

void service::work() {
    for (;;) {
        run_commands();
        if (is_ending_.load()) break;
        if (!runner_) {
            wait(unreturned_.is_pending() ? options_.retry : idle_wait);
            if (!is_ending_.load() && unreturned_.is_pending())
                unreturned_.try_again(options_.served->engine().documents(), nullptr);
            continue;
        }
        switch (runner_->step()) {
            case runner::next::now:
                break;
            case runner::next::interval:
                wait(options_.interval);
                break;
            case runner::next::retry:
                wait(options_.retry);
                break;
            case runner::next::never:
                runner_->end_turn();
                runner_.reset();
                break;
        }
    }
    runner_.reset();
    refuse_commands();
}

void service::wait(std::chrono::milliseconds how_long) {
    const auto until = std::chrono::steady_clock::now() + how_long;
    const lock_guard lock(mutex_);
    while (commands_.empty() && !is_ending_.load()) {
        if (changed_.wait_until(mutex_, until) == std::cv_status::timeout) return;
    }
}

void service::run_commands() {
    for (;;) {
        std::optional<command> next;
        {
            const lock_guard lock(mutex_);
            if (commands_.empty() || is_ending_.load()) return;
            next.emplace(std::move(commands_.front()));
            commands_.pop_front();
        }
        const auto done = next->run();
        if (next->waiting) next->waiting->complete(done ? answer(status()) : answer(done.error()));
    }
}

void service::refuse_commands() {
    std::deque<command> all;
    {
        const lock_guard lock(mutex_);
        is_closed_ = true;
        changed_.notify_all();
        all.swap(commands_);
    }
    for (auto& each : all) {
        if (each.waiting) each.waiting->complete(answer(server_stops()));
    }
}

bool service::has_command() const {
    const lock_guard lock(mutex_);
    return !commands_.empty();
}

std::unique_ptr<runner> service::make_runner(saved_mirror what) {
    interruptions when;
    when.is_ending = [this] { return is_ending_.load(); };
    when.has_command = [this] { return has_command(); };
    return std::make_unique<runner>(source_, options_, std::move(when), board_, context_, unreturned_,
                                    std::move(what));
}

result<void> service::check_exists() const {
    if (status().state != mirror_state::none) return {};
    return error{errc::not_found, "There is no mirror."};
}

result<void> service::begin(start_request request) {
    const auto before = status();
    if (runner_) return there_is_one(before, request.is_backup);
    saved_mirror what;
    what.target = std::move(request.target);
    what.is_backup = request.is_backup;
    what.verifies = request.verifies;
    what.skips_damaged = request.skips_damaged;
    what.run = to_string(random_uuid());
    what.backup_at = before.backup_at;
    auto next = make_runner(std::move(what));
    constexpr bool may_create = true;
    auto begun = next->open(request.any_source, may_create);
    if (begun) begun = next->remember();
    if (!begun) {
        next->end_turn();
        next.reset();
        clean_up(nullptr);
        return begun;
    }
    clean_up(&next->what().target);
    board_.change([&next](mirror_status& s) { show(s, next->what()); });
    runner_ = std::move(next);
    return {};
}

result<void> service::remove() {
    const auto now = status();
    if (now.state == mirror_state::none && now.problem.empty()) return check_exists();
    if (runner_) return error{errc::busy, "Stop or abandon the mirror first."};
    if (auto removed = remove_state_file(options_.state_file); !removed) return removed;
    board_.change(clear);
    clean_up(nullptr);
    return {};
}

void service::clean_up(const target_address* kept) const {
    if (options_.clean_up) options_.clean_up(kept);
}

}  // namespace gallery::mirror
