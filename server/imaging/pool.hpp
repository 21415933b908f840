// SPDX-License-Identifier: Apache-2.0
/// Describes images and makes previews without decoding a pixel in the server: a few worker processes, each
/// with a thread that feeds it and watches its deadline.
#pragma once

#include "imaging/picture.hpp"
#include "imaging/upload.hpp"

#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::imaging {

/// What a pool that runs can be given anew.
struct pool_limits {
    unsigned workers = 2;                       ///< processes, at least 1
    std::chrono::milliseconds timeout{60'000};  ///< most for one picture, IMAGE_TIMEOUT; see time_budget()
    std::uint64_t max_pixels = 200'000'000;     ///< of one frame, IMAGE_MAX_PIXELS
    std::uint64_t max_total_pixels = 1'000'000'000;  ///< over all frames, IMAGE_MAX_TOTAL_PIXELS
    std::uint32_t max_frames = 5'000;                ///< of an animation, IMAGE_MAX_FRAMES
    std::uint64_t max_svg_bytes = 10'485'760;        ///< of an SVG document, IMAGE_MAX_SVG_SIZE
    std::uint32_t worker_memory_mib = 2048;          ///< each, in addition to its libraries
    std::size_t max_queued = 1'024;                  ///< pictures that wait; they hold their bytes meanwhile
    std::size_t max_queued_per_tenant = 128;         ///< of one tenant, IMAGE_MAX_QUEUED
};

struct pool_options : pool_limits {
    std::string worker;                    ///< absolute path of gallery-imaging-worker
    unsigned pictures_per_worker = 1'000;  ///< then it is replaced between two images
    /// Receives messages for the operator, one sentence each: how workers are confined, why one was replaced.
    /// Called on the pool's threads, several at once; must not block long. May be empty.
    std::function<void(std::string_view)> log;
};

/// Counters since start of one place for a worker. Workers that follow each other there are counted together.
struct worker_figures {
    std::uint64_t pictures = 0;  ///< that it was given
    std::uint64_t failures = 0;  ///< workers that were lost while they decoded a picture
    std::uint64_t starts = 0;
    std::chrono::nanoseconds busy{0};
};

/// Counters since start, and two gauges.
struct pool_stats {
    std::uint64_t pictures = 0;   ///< inspected and accepted
    std::uint64_t refused = 0;    ///< not images, damaged, over a limit
    std::uint64_t crashes = 0;    ///< workers that ended, or broke the protocol, while they decoded a picture
    std::uint64_t timeouts = 0;   ///< workers killed at the deadline
    std::uint64_t exhausted = 0;  ///< workers that used up their memory
    std::uint64_t interrupted =
        0;  ///< workers that were killed or stopped from outside; their picture is tried again
    std::uint64_t starts = 0;  ///< of workers, the first ones included
    std::size_t queued = 0;
    std::size_t busy = 0;
    std::vector<worker_figures> workers;  ///< by place; also of those that a reload has given up
};

class pool {
public:
    /// Starts all workers and waits until they have confined themselves (about 100 ms). Fails with a message
    /// if a worker cannot start.
    static result<std::unique_ptr<pool>> start(pool_options options);

    pool(const pool&) = delete;
    pool& operator=(const pool&) = delete;
    /// stop()s.
    ~pool();

    /// Inspects an image: its type, its size, its preview. Called on any I/O thread, never blocks it, resumes
    /// on the caller's executor. A file region is read by the worker, not copied. Workers are shared fairly
    /// between tenants (fair_queue).
    ///
    /// Precondition: the io_context of every caller outlives the pool, or is drained before stop().
    /// Errors: not_an_image with a text for the person who uploaded it (which contains what was found, what
    /// is wrong, or which limit is exceeded; also where decoding crashes, hangs or needs too much memory, and
    /// where the same content took too long a short time ago); too_many_requests where max_queued_per_tenant
    /// of this tenant are waiting; busy where max_queued are; unavailable where the pool is stopping, no
    /// worker starts, or workers are killed from outside again and again; io_error where the bytes cannot be
    /// handed over.
    task<result<picture>> inspect(upload what);

    /// Uses other limits for images whose decoding begins from now on, and for those that are to wait.
    /// Further workers are started first; returns when they are ready, which takes about 100 ms. If there are
    /// to be fewer, surplus ones end after their image. Blocks, so not on an I/O thread; one call at a time.
    /// Errors: those of start(), and unavailable after stop(); nothing is changed then.
    result<void> apply(const pool_limits& limits);

    /// Ends the workers. Images that wait or are being decoded fail with unavailable. Blocks until the pool's
    /// threads have ended. Idempotent; no inspect() may follow. Ends an apply() that waits.
    void stop() noexcept;

    [[nodiscard]] pool_stats stats() const;
    /// The active layers of confinement and those that are not available, as text.
    [[nodiscard]] std::string confinement() const;

private:
    class state;
    explicit pool(std::unique_ptr<state> s) noexcept;
    std::unique_ptr<state> state_;
};

}  // namespace gallery::imaging
