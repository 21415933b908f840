// SPDX-License-Identifier: Apache-2.0
#include "cache/page_memory.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>

namespace gallery::cache {

namespace {

constexpr std::size_t huge_page = std::size_t{2} << 20;

}  // namespace

page_memory::page_memory(std::size_t bytes) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const auto size = bytes - bytes % page;
    if (size == 0) return;
    // A huge page begins at a multiple of its size: map so much more that there is one, give back the rest.
    const auto spare = size >= huge_page ? huge_page : 0;
    void* const mapped = mmap(nullptr, size + spare, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED)
        throw std::system_error(errno, std::system_category(),
                                "the cache cannot map " + std::to_string(size) + " bytes of memory");
    base_ = static_cast<std::byte*>(mapped);
    size_ = size;
    if (spare == 0) return;
    const auto before = (huge_page - reinterpret_cast<std::uintptr_t>(mapped) % huge_page) % huge_page;
    base_ += before;
    if (before != 0) munmap(mapped, before);
    if (before != spare) munmap(base_ + size_, spare - before);
    madvise(base_, size_, MADV_HUGEPAGE);  // a kernel without them refuses, which does no harm
}

page_memory::~page_memory() {
    if (base_ != nullptr) munmap(base_, size_);
}

}  // namespace gallery::cache
