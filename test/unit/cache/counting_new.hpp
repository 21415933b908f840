// SPDX-License-Identifier: Apache-2.0
/// What operator new gives away, counted with the allocator's own figures.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gallery::cache::test {

/// While one lives, blocks that this thread allocates and frees are counted, in sums over all threads.
class counting {
public:
    counting() noexcept;
    ~counting();
    counting(const counting&) = delete;
    counting& operator=(const counting&) = delete;

    /// Starts all sums from 0. Only while no thread counts.
    static void reset() noexcept;
    /// Bytes that the allocator has given away, its word before each block among them.
    static std::int64_t live() noexcept;
    /// The largest live() since reset().
    static std::int64_t peak() noexcept;
    /// Calls of operator new.
    static std::uint64_t allocations() noexcept;
};

}  // namespace gallery::cache::test
