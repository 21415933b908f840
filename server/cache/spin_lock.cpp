// SPDX-License-Identifier: Apache-2.0
#include "cache/spin_lock.hpp"

#include <thread>

namespace gallery::cache {

namespace {

std::atomic<unsigned> next_thread{0};

}  // namespace

void detail::spin_pause(unsigned round) noexcept {
    if (round < 64) {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        asm volatile("yield");
#endif
    } else {
        std::this_thread::yield();
    }
}

unsigned thread_number() noexcept {
    thread_local const unsigned number = next_thread.fetch_add(1, std::memory_order_acq_rel);
    return number;
}

unsigned threads_numbered() noexcept {
    return next_thread.load(std::memory_order_acquire);
}

}  // namespace gallery::cache
