// SPDX-License-Identifier: Apache-2.0
/// What the kernel reports about this process, as Prometheus' client libraries publish it.
#pragma once

#include <optional>

namespace gallery::app {

/// A member is empty where the kernel does not tell.
struct process_usage_figures {
    std::optional<double> cpu_seconds;  ///< user and system
    std::optional<double> start_time;   ///< seconds since 1970
    std::optional<double> resident_bytes;
    std::optional<double> virtual_bytes;
    std::optional<double> open_files;
    std::optional<double> most_files;
    std::optional<double> threads;
};

/// Any thread. Reads files of /proc, which no disk is behind.
process_usage_figures process_usage();

}  // namespace gallery::app
