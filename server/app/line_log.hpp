// SPDX-License-Identifier: Apache-2.0
/// Writes lines that many threads make, in batches, by a thread of its own.
///
/// Each producing thread has a buffer. It appends whole lines and never waits: a line that finds no room is
/// lost and counted. The writer empties all buffers several times a second, so that no line costs a system
/// call. What the sink does not take is lost and counted, too. Lines of one thread stay in their order; those
/// of several threads are in order to within one interval.
#pragma once

#include "app/line_ring.hpp"
#include "app/line_sink.hpp"

#include <gallery/log_level.hpp>
#include <gallery/mutex.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace gallery::app {

struct line_log_options {
    std::size_t buffer_bytes = 4U << 20U;  ///< of each thread; a power of two
    std::chrono::milliseconds interval{50};
};

class line_log {
public:
    /// The lines of one thread that are not written yet.
    class buffer {
    public:
        buffer(line_log& owner, std::size_t bytes) : owner_(owner), ring_(bytes) {}
        /// @p line ends with LF. Always the same thread.
        void append(std::string_view line) noexcept;

    private:
        friend class line_log;
        line_log& owner_;
        line_ring ring_;
        std::atomic<std::uint64_t> appended_{0};  // both written by the appending thread alone
        std::atomic<std::uint64_t> refused_{0};
    };

    /// @p name: of the log, as messages to @p log have it: "the access log".
    line_log(std::string_view name, std::unique_ptr<line_sink> sink, log_function log,
             line_log_options options = {});
    line_log(const line_log&) = delete;
    line_log& operator=(const line_log&) = delete;
    /// Writes what is waiting. Precondition: no thread appends any more.
    ~line_log();

    /// For a thread that begins to write lines; stays as long as this. Any thread.
    buffer& add_buffer();

    /// Lets the writer open the sink again, and returns at once. Any thread.
    void reopen() noexcept;

    /// Returns when the writer has given all lines that were appended before to the sink; false where that
    /// takes longer. Any thread but the writer's.
    bool flush(std::chrono::milliseconds at_most);

    struct figures {
        std::uint64_t written = 0;    ///< lines; those that still wait are counted, too
        std::uint64_t refused = 0;    ///< found no room
        std::uint64_t unwritten = 0;  ///< were not taken by the sink
    };
    /// Any thread.
    [[nodiscard]] figures read() const;

private:
    using clock = std::chrono::steady_clock;
    struct round {
        bool reopens = false;
        bool ends = false;
        std::uint64_t flushes = 0;
    };

    void hurry() noexcept;
    void run();
    round wait_for_round();
    void reopen_sink();
    void write_waiting();
    void note_outcome(int reason);
    void note_refused();
    void finish(const round& done);
    void say(log_level level, const std::string& text) const noexcept;

    const std::string name_;
    const std::unique_ptr<line_sink> sink_;
    const log_function log_;
    const line_log_options options_;
    std::atomic<bool> hurried_{false};
    std::atomic<std::uint64_t> unwritten_{0};

    mutable mutex mutex_;
    condition_variable wake_;
    condition_variable finished_;
    std::vector<std::unique_ptr<buffer>> buffers_ GALLERY_GUARDED_BY(mutex_);
    bool reopening_ GALLERY_GUARDED_BY(mutex_) = false;
    bool ending_ GALLERY_GUARDED_BY(mutex_) = false;
    std::uint64_t flushes_asked_ GALLERY_GUARDED_BY(mutex_) = 0;
    std::uint64_t flushes_done_ GALLERY_GUARDED_BY(mutex_) = 0;

    // The writer's own.
    std::vector<buffer*> round_buffers_;
    bool has_failed_ = false;  ///< and nothing was written since
    bool said_so_ = false;
    clock::time_point next_complaint_{};
    std::uint64_t refused_before_ = 0;
    clock::time_point next_note_{};

    std::thread writer_;
};

}  // namespace gallery::app
