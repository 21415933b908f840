// SPDX-License-Identifier: Apache-2.0
/// The mirror of a running server: a second store that follows the first.
///
/// The copier runs on one thread of its own at a low priority, with an io_context of its own, so that it
/// delays no request. Commands are coroutines of I/O threads; they hand their work to that thread and wait
/// for its result. What a server mirrors is in a file of the data folder: after a restart, also after a
/// crash, it goes on, and the mark in the target says where. A failure ends nothing: the target is closed,
/// opened again after a while, and continued.
#pragma once

#include "mirror/comparison.hpp"
#include "mirror/copier.hpp"
#include "mirror/state_file.hpp"

#include <gallery/error.hpp>
#include <gallery/mutex.hpp>
#include <gallery/storage_engine.hpp>
#include <gallery/task.hpp>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace gallery::mirror {

enum class mirror_state : std::uint8_t {
    none,       ///< there is no mirror
    copying,    ///< a comparing pass is under way
    following,  ///< changes are applied as they happen
    stopped,    ///< the target is closed; it is a complete copy if is_complete
    failed,     ///< the target cannot be used at the moment; it is tried again
};

/// The outcome of the last verification.
struct verified {
    std::int64_t time = 0;  ///< of its end, milliseconds since 1970-01-01T00:00Z
    revision rev = 0;
    std::uint64_t images = 0;
    std::vector<std::string> problems;  ///< at most 100
};

struct mirror_status {
    mirror_state state = mirror_state::none;
    std::string engine;
    std::string path;
    figures done;
    revision position = 0;        ///< the target contains the source up to here
    std::uint64_t lag = 0;        ///< revisions that the source is ahead
    std::int64_t current_at = 0;  ///< when the target was current last, milliseconds since 1970; 0: never
    bool is_complete = false;     ///< stopped: the target is complete as of position
    bool is_verifying = false;
    std::uint64_t verified_images = 0;  ///< so far
    std::string problem;                ///< why it has failed, or what is damaged; empty if there is nothing
    std::vector<std::string> damage;    ///< items that cannot be read from the source; at most 100
    std::optional<verified> last_verified;
};

struct service_options {
    std::string source_name;  ///< for the mark
    std::string state_file;
    /// Checks that a mirror may be there, and completes the address. Blocks.
    std::function<result<target_address>(target_address)> check;
    /// Opens or creates a target. Blocks.
    std::function<result<std::unique_ptr<storage_engine>>(const target_address&)> open;
    /// Holds back the writes to the source, and lets them pass again. The first returns false if writes in
    /// progress take too long.
    std::function<task<bool>()> hold_writes;
    std::function<void()> release_writes;
    copy_options copying;
    std::chrono::milliseconds interval{200};  ///< how often the feed is looked at
    std::chrono::milliseconds retry{5'000};   ///< after a failure
    std::function<void(bool is_problem, std::string_view text)> log;
};

class service {
public:
    /// @p source is used until shut_down().
    service(storage_engine& source, service_options options);
    service(const service&) = delete;
    service& operator=(const service&) = delete;
    /// shut_down()s. Destroy it after the source: a thread of that engine may still be leaving the context
    /// that it has posted to.
    ~service();

    /// Interrupts the copy, closes the target and joins the thread. The mirror goes on with the next start of
    /// the server. Precondition: the I/O contexts of coroutines that wait for a command are still running,
    /// and so is the source.
    void shut_down();

    /// Continues the mirror of the state file, if there is one and it was running. Blocks for the file only.
    /// Errors: those of the file.
    result<void> resume();

    /// Opens @p target and begins to copy. Errors: already_exists if there is a mirror that is not stopped;
    /// those of service_options::check, of the target and of copier::begin().
    task<result<void>> start(target_address target, bool any_source);

    /// Ends the mirror. If it follows, the writes to the source are held for a moment, so that the target is
    /// complete as of one revision. If it does not follow yet, the target stays incomplete, and start()
    /// continues it. Returns when the target is closed. Errors: not_found without a mirror; busy if the
    /// source is written faster than the target, corrupt if items are missing that the source could not
    /// return, unless @p accept_damage (the mirror goes on in both cases).
    task<result<mirror_status>> stop(bool accept_damage);

    /// Begins to compare both stores, bodies included, while the mirror follows. The result is part of the
    /// status. Errors: not_found without a mirror, busy if it does not follow or a verification runs.
    task<result<void>> verify();

    /// Removes the state file; the target stays. Errors: not_found, busy if the mirror is not stopped.
    task<result<void>> forget();

    /// Any thread.
    [[nodiscard]] mirror_status status() const;

private:
    using clock = std::chrono::steady_clock;
    using command = resumption<result<mirror_status>>;

    struct session {
        std::unique_ptr<storage_engine> store;
        std::unique_ptr<copier> all;
    };

    template <class T>
    task<T> on_own_thread(task<T> work);

    // On the own thread.
    task<result<void>> begin(target_address target, bool any_source);
    task<result<void>> open_session(bool any_source);
    task<result<void>> begin_verification();
    task<result<void>> remove();
    void close_session();
    void launch();
    task<void> run();
    task<result<void>> work_on();
    task<result<void>> follow_once();
    task<void> wait(std::chrono::milliseconds how_long);
    task<bool> end_as_asked();
    task<result<void>> finish();
    task<result<void>> finish_held();
    task<result<void>> compare_stores();
    void fail(const error& why);
    void answer_stop(result<mirror_status> answer);
    [[nodiscard]] bool is_interrupted() const;

    void change(const std::function<void(mirror_status&)>& how);
    void say(bool is_problem, const std::string& text) const;

    storage_engine& source_;
    const service_options options_;

    asio::io_context context_{1};
    asio::executor_work_guard<io_executor> guard_;
    asio::basic_waitable_timer<clock, asio::wait_traits<clock>, io_executor> timer_;
    std::atomic<bool> is_ending_{false};

    // Used on the own thread only, or before it is begun.
    target_address target_;
    std::optional<session> session_;
    bool is_running_ = false;  ///< a target is being opened, or run() has not ended
    bool accepts_damage_ = false;
    bool wants_verification_ = false;
    std::vector<command> stops_;  ///< who waits for the end
    bool is_finishing_ = false;

    mutable mutex mutex_;
    mirror_status status_ GALLERY_GUARDED_BY(mutex_);

    std::thread thread_;  ///< last: it uses all others
};

}  // namespace gallery::mirror
