// SPDX-License-Identifier: Apache-2.0
/// One imaging worker on the server's side: a child process and a socket to it.
#pragma once

#include "imaging/protocol.hpp"

#include <gallery/bytes.hpp>
#include <gallery/error.hpp>

#include <sys/types.h>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace gallery::imaging {

/// Every call that communicates with the child blocks, at most until the deadline. Not thread-safe: start()
/// and all later calls belong to one thread; when it ends, the kernel ends the child. The destructor kills
/// and reaps the child.
class worker_process {
public:
    using clock = std::chrono::steady_clock;

    struct start_options {
        std::string program;           ///< absolute path
        std::uint32_t memory_mib = 0;  ///< beyond what the libraries take
        int stop_event = -1;           ///< readable when waiting shall end; borrowed
    };

    /// Starts the child and waits until it has confined itself.
    static result<std::unique_ptr<worker_process>> start(const start_options& options,
                                                         clock::time_point deadline);

    worker_process(const worker_process&) = delete;
    worker_process& operator=(const worker_process&) = delete;
    ~worker_process();

    [[nodiscard]] const protocol::hello& greeting() const noexcept { return greeting_; }
    [[nodiscard]] pid_t id() const noexcept { return child_; }
    /// False if the child ended while it was idle.
    [[nodiscard]] bool idle_and_alive() const noexcept;

    /// `died` by its own fault; `interrupted` by a signal from outside, to stop or to end
    /// it.
    enum class ending { answered, timed_out, died, interrupted, violated_protocol, stopped, not_sent };
    struct exchanged {
        ending how = ending::not_sent;
        protocol::answer answer;  ///< with the three below, where answered; fields within their bounds
        std::string text;
        std::string preview;
        std::string document;
    };
    /// One request, one answer. After anything but `answered` this object is of no more use, except that
    /// `not_sent` means that the child did not receive the request.
    exchanged exchange(const protocol::request& request, int descriptor, clock::time_point deadline);

    /// Kills the child if it still runs, and returns how it ended: "signal 11 (Segmentation fault)".
    std::string reap();

private:
    worker_process() = default;
    ending receive(void* into, std::size_t size, clock::time_point deadline);
    ending why_it_ended();
    [[nodiscard]] bool is_stopped() const noexcept;

    pid_t child_ = -1;
    std::string end_;  // how it ended, once it has
    int socket_ = -1;
    int stop_event_ = -1;
    protocol::hello greeting_;
};

/// The layers of a greeting in words, for the log, and those that the kernel or a container refused:
/// "seccomp, resource limits; not available: network namespace".
std::string describe_layers(std::uint32_t layers);

/// A descriptor through which a worker can read the body and change nothing: a sealed copy of memory, or
/// the file opened once more for reading. -1 with errno where that fails. The caller closes it.
int open_for_worker(const body& original, std::uint64_t& offset);

}  // namespace gallery::imaging
