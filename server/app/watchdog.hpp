// SPDX-License-Identifier: Apache-2.0
/// Reports that the I/O threads work, as long as all of them do.
#pragma once

#include "app/periodic.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

namespace gallery::app {

/// Calls @p alive every @p interval, each time after every one of @p executors has run something that was
/// posted to it. One thread that hangs ends the reports. @p alive is called on the first executor's thread.
/// Precondition: there is an executor.
std::unique_ptr<periodic> watch_threads(std::vector<io_executor> executors,
                                        std::chrono::milliseconds interval, std::function<void()> alive);

}  // namespace gallery::app
