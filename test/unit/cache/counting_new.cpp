// SPDX-License-Identifier: Apache-2.0
#include "counting_new.hpp"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace gallery::cache::test {
namespace {

thread_local int depth = 0;
std::atomic<std::int64_t> live_bytes{0};
std::atomic<std::int64_t> peak_bytes{0};
std::atomic<std::uint64_t> calls{0};

void* allocate(std::size_t size) noexcept {
    void* const block = std::malloc(size);
    if (block != nullptr && depth > 0) {
        const auto taken = static_cast<std::int64_t>(malloc_usable_size(block) + sizeof(std::size_t));
        const auto now = live_bytes.fetch_add(taken) + taken;
        auto peak = peak_bytes.load();
        while (peak < now && !peak_bytes.compare_exchange_weak(peak, now)) {
        }
        calls.fetch_add(1);
    }
    return block;
}

void release(void* block) noexcept {
    if (block != nullptr && depth > 0)
        live_bytes.fetch_sub(static_cast<std::int64_t>(malloc_usable_size(block) + sizeof(std::size_t)));
    std::free(block);
}

}  // namespace

counting::counting() noexcept {
    ++depth;
}
counting::~counting() {
    --depth;
}
void counting::reset() noexcept {
    live_bytes = 0;
    peak_bytes = 0;
    calls = 0;
}
std::int64_t counting::live() noexcept {
    return live_bytes;
}
std::int64_t counting::peak() noexcept {
    return peak_bytes;
}
std::uint64_t counting::allocations() noexcept {
    return calls;
}

}  // namespace gallery::cache::test

void* operator new(std::size_t size) {
    if (void* const block = gallery::cache::test::allocate(size)) return block;
    throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return gallery::cache::test::allocate(size);
}
void operator delete(void* block) noexcept {
    gallery::cache::test::release(block);
}
void operator delete(void* block, std::size_t) noexcept {
    gallery::cache::test::release(block);
}
void operator delete(void* block, const std::nothrow_t&) noexcept {
    gallery::cache::test::release(block);
}
// The array forms by name, because a sanitizer's own would not call those above.
void* operator new[](std::size_t size) {
    return operator new(size);
}
void operator delete[](void* block) noexcept {
    operator delete(block);
}
void operator delete[](void* block, std::size_t) noexcept {
    operator delete(block);
}
