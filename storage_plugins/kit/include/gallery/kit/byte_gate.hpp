// SPDX-License-Identifier: Apache-2.0
/// Limits the bytes of large work in progress.
#pragma once

#include <gallery/task.hpp>

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

namespace gallery::kit {

/// Admits large work only while the sum of its bytes is within a limit. Other work waits in order of arrival,
/// without a thread. Work larger than the whole limit is admitted alone. Small work passes immediately.
/// Thread-safe; outlives its leases and the waiting coroutines.
class byte_gate {
public:
    explicit byte_gate(std::uint64_t limit) : limit_(limit) {}
    byte_gate(const byte_gate&) = delete;
    byte_gate& operator=(const byte_gate&) = delete;

    /// Work of at most this many bytes is not counted.
    static constexpr std::uint64_t small = 256 * 1024;

    /// Returns its bytes when it is destroyed, on any thread.
    class lease {
    public:
        lease() = default;
        lease(byte_gate& owner, std::uint64_t size) noexcept : owner_(&owner), size_(size) {}
        lease(lease&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)), size_(other.size_) {}
        lease& operator=(lease&& other) noexcept {
            std::swap(owner_, other.owner_);
            std::swap(size_, other.size_);
            return *this;
        }
        ~lease() {
            if (owner_ != nullptr) owner_->leave(size_);
        }

    private:
        byte_gate* owner_ = nullptr;
        std::uint64_t size_ = 0;
    };

    task<lease> enter(std::uint64_t size);

    /// Work that has not been admitted.
    [[nodiscard]] std::uint64_t waiting() const;

private:
    struct queued {
        std::uint64_t size;
        resumption<> work;
    };
    /// With mutex_ held.
    [[nodiscard]] bool fits(std::uint64_t size) const noexcept {
        return in_flight_ == 0 || in_flight_ + size <= limit_;
    }
    void enqueue(std::uint64_t size, resumption<> work);
    void leave(std::uint64_t size);

    const std::uint64_t limit_;
    mutable std::mutex mutex_;
    std::uint64_t in_flight_ = 0;  ///< bytes; guarded by mutex_
    std::deque<queued> waiting_;   ///< guarded by mutex_
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
