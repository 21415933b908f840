// SPDX-License-Identifier: Apache-2.0
/// For threads that must not delay those that answer requests.
#pragma once

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace gallery::mirror {

/// Of the calling thread only, as Linux counts it. Threads that it starts later inherit it.
inline void lower_priority() noexcept {
    constexpr int less = 10;
    static_cast<void>(::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), less));
}

}  // namespace gallery::mirror
