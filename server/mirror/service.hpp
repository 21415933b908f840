// SPDX-License-Identifier: Apache-2.0
/// The mirror of a running server: a second store that follows the first.
///
/// It has a thread of its own with a low priority and an own io_context, so that it does not delay requests.
/// Commands are handed to that thread, which executes them between two items of a copy. Which mirror a server
/// has is stored in a file in the data folder: after a restart, also after a crash, the mirror continues.
#pragma once

#include "mirror/runner.hpp"
#include "mirror/state_file.hpp"
#include "mirror/status.hpp"

#include <gallery/error.hpp>
#include <gallery/mutex.hpp>
#include <gallery/storage_engine.hpp>
#include <gallery/task.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <thread>

namespace gallery::mirror {

struct start_request {
    target_address target;
    bool any_source = false;     ///< continue a copy of another store
    bool is_backup = false;      ///< end by itself as soon as the copy is complete
    bool verifies = false;       ///< a backup: verify it before
    bool skips_damaged = false;  ///< a backup: complete without items that cannot be read from the source
};

class service {
public:
    /// @p source is used until shut_down().
    service(storage_engine& source, mirror_options options);
    service(const service&) = delete;
    service& operator=(const service&) = delete;
    /// shut_down()s. Destroy it after the source: a thread of that engine may still be leaving the context
    /// that it has posted to.
    ~service();

    /// Continues the mirror of the state file, if it was running. Blocks for the file only. Call it once,
    /// before other commands. Errors: those of the file.
    result<void> resume();

    /// Interrupts the mirror between two items, closes the target and joins the thread. The mirror continues
    /// with the next start of the server. Waiting commands fail with unavailable.
    void shut_down();

    /// Begins shut_down() without waiting for it. A switch in progress is given up unless it is decided.
    void end_soon();
    /// After end_soon(): waits until the mirror has ended, for @p longest at most. False if it has not.
    bool wait_for_end(std::chrono::milliseconds longest);

    // Commands return when they are executed. Error of all: unavailable during shut_down().

    /// Opens the target and begins to copy. The status contains the id of the run, by which a client
    /// distinguishes this mirror from a later one. Errors: already_exists while there is a mirror that has
    /// not ended; those of runner::open() and of the state file.
    task<result<mirror_status>> start(start_request request);
    /// Requests that the mirror ends complete; the status shows when it has. Succeeds if it has ended.
    /// Errors: not_found without a mirror, busy if it does not follow.
    task<result<mirror_status>> stop();
    /// Ends the mirror at once, not complete. Succeeds if it has ended. Errors: not_found without a mirror,
    /// io_error if this cannot be stored; the mirror goes on when the state file can be written.
    task<result<mirror_status>> abandon();
    /// Begins a verification; the status shows when it has ended. Errors: not_found without a mirror, busy
    /// if it does not follow or a verification is in progress.
    task<result<mirror_status>> verify();
    /// Makes the target the store of the server; see runner::switch_over(). Returns when it is done or given
    /// up. Errors: not_found without a mirror, those of switch_over().
    task<result<mirror_status>> switch_over();
    /// Removes the state file; the target stays. Errors: not_found, busy if the mirror has not ended.
    task<result<mirror_status>> forget();

    /// Any thread.
    [[nodiscard]] mirror_status status() const { return board_.read(); }

private:
    using answer = result<mirror_status>;
    struct command {
        std::function<result<void>()> run;
        std::optional<resumption<answer>> waiting;  ///< empty if no request waits
    };

    task<answer> execute(std::function<result<void>()> run);
    void work();
    /// Waits until there is a command, shut_down() or @p how_long has passed.
    void wait(std::chrono::milliseconds how_long);
    void run_commands();
    void refuse_commands();
    [[nodiscard]] bool has_command() const;

    // Commands, on the own thread.
    result<void> begin(start_request request);
    result<void> complete_switch(std::optional<saved_mirror>& known) const;
    result<void> remove();
    [[nodiscard]] result<void> check_exists() const;
    /// As mirror_options::clean_up.
    void clean_up(const target_address* kept) const;
    std::unique_ptr<runner> make_runner(saved_mirror what);

    storage_engine& source_;
    asio::thread_pool opening_{1};  ///< of targets; has the priority of the server, as its thread is older
    const mirror_options options_;
    status_board board_;
    asio::io_context context_{1};
    unreturned_claims unreturned_{options_, board_, context_};
    std::unique_ptr<runner> runner_;  ///< of a mirror that has not ended; used by the own thread only

    mutable mutex mutex_;
    condition_variable changed_;
    std::deque<command> commands_ GALLERY_GUARDED_BY(mutex_);
    bool is_closed_ GALLERY_GUARDED_BY(mutex_) = false;  ///< commands are refused, and the mirror has ended
    std::atomic<bool> is_ending_{false};

    std::thread thread_;  ///< last: it uses all others
};

}  // namespace gallery::mirror
