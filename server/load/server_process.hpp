// SPDX-License-Identifier: Apache-2.0
/// Processor time and memory of a server on this machine, its child processes included.
#pragma once

#include <gallery/mutex.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <sys/types.h>

namespace gallery::load {

struct process_sample {
    double second = 0;         ///< from the begin of the sampling
    double cpu = 0;            ///< processors in use since the sample before: 1.5 means one and a half
    std::uint64_t memory = 0;  ///< resident, bytes; pages that processes share count for each
};

/// The process that listens on this TCP port, if it is on this machine and its files can be seen: those of
/// the same user, or for root.
std::optional<pid_t> listener_of(std::uint16_t port);

/// Samples once a second on a thread of its own, so that the measured loop does not read /proc.
class process_watch {
public:
    explicit process_watch(pid_t root);
    process_watch(const process_watch&) = delete;
    process_watch& operator=(const process_watch&) = delete;
    /// Ends the thread.
    ~process_watch();

    /// All samples so far.
    [[nodiscard]] std::vector<process_sample> samples() const GALLERY_EXCLUDES(mutex_);

private:
    void watch();

    const pid_t root_;
    const int end_;  ///< an eventfd; becomes readable when the thread is to end
    mutable mutex mutex_;
    std::vector<process_sample> samples_ GALLERY_GUARDED_BY(mutex_);
    std::thread thread_;
};

}  // namespace gallery::load
