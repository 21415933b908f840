// SPDX-License-Identifier: Apache-2.0
/// Counts every allocation of the process, whoever makes it, between two moments. Defines the allocator's own
/// functions: to be included in exactly one source file of a test executable, and in none that is built with
/// a sanitizer, which has an allocator of its own.
#pragma once

#include <atomic>
#include <cstddef>

namespace gallery::test {

/// While true, allocations of all threads are counted.
inline std::atomic<bool> counting{false};
inline std::atomic<std::size_t> allocations{0};

inline void note_allocation() noexcept {
    if (counting.load(std::memory_order_relaxed)) allocations.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace gallery::test

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* block, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

__attribute__((visibility("default"))) void* malloc(std::size_t size) {
    gallery::test::note_allocation();
    return __libc_malloc(size);
}
__attribute__((visibility("default"))) void* calloc(std::size_t count, std::size_t size) {
    gallery::test::note_allocation();
    return __libc_calloc(count, size);
}
__attribute__((visibility("default"))) void* realloc(void* block, std::size_t size) {
    gallery::test::note_allocation();
    return __libc_realloc(block, size);
}
__attribute__((visibility("default"))) void* aligned_alloc(std::size_t alignment, std::size_t size) {
    gallery::test::note_allocation();
    return __libc_memalign(alignment, size);
}
}
