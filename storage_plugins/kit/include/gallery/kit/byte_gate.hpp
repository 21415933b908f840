// SPDX-License-Identifier: Apache-2.0
/// Work on an engine's threads, limited in its bytes.
#pragma once

#include <gallery/byte_gate.hpp>
#include <gallery/task.hpp>

#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace gallery::kit {

/// The gate of an engine: small work passes immediately.
class byte_gate : public gallery::byte_gate {
public:
    /// Work of at most this many bytes is not counted.
    static constexpr std::uint64_t small = 256 * 1024;

    explicit byte_gate(std::uint64_t limit) : gallery::byte_gate({.all = limit, .uncounted = small}) {}
};

/// As offload() of gallery/task.hpp, behind a gate that counts @p size bytes while @p work exists. The work
/// is destroyed on the pool's thread, before its outcome is seen.
template <class Work>
task<std::invoke_result_t<Work&>> offload_through(byte_gate& gate, asio::thread_pool& pool,
                                                  std::uint64_t size, Work work) {
    auto lease = co_await gate.enter(size);
    auto counted = [lease = std::move(lease), what = std::optional<Work>(std::move(work))]() mutable {
        auto outcome = (*what)();
        what.reset();
        lease = byte_gate::lease();
        return outcome;
    };
    co_return co_await offload(pool, std::move(counted));
}

}  // namespace gallery::kit
