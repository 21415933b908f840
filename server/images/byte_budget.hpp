// SPDX-License-Identifier: Apache-2.0
/// A bound on the memory that pictures in flight may take together.
#pragma once

#include <gallery/error.hpp>
#include <gallery/model.hpp>
#include <gallery/task.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace gallery::images {

/// Whoever holds picture bytes in memory holds a lease over as many. Those that do not fit wait in order of
/// arrival, so a large upload is not passed by small ones for ever, and give up after the configured time.
/// One tenant may have three quarters of it: however many pictures it sends, and however slowly, the others
/// find room. Thread-safe.
class byte_budget {
public:
    /// Gives its bytes back when it is destroyed. Movable; must not outlive the budget.
    class lease {
    public:
        lease() = default;
        lease(lease&& other) noexcept;
        lease& operator=(lease&& other) noexcept;
        ~lease();
        [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
        /// Gives a part back. Precondition: smaller <= size().
        void shrink(std::uint64_t smaller);

    private:
        friend class byte_budget;
        lease(byte_budget* budget, const tenant_id& owner, std::uint64_t size) noexcept
            : budget_(budget), owner_(owner), size_(size) {}
        byte_budget* budget_ = nullptr;
        tenant_id owner_;
        std::uint64_t size_ = 0;
    };

    /// A request for more than @p capacity is granted when nothing else is in flight, one for more than a
    /// tenant's part of it when that tenant has nothing else in flight: one picture of allowed size always
    /// fits, however small the budget.
    byte_budget(std::uint64_t capacity, std::chrono::seconds patience);

    /// Error: busy after the patience.
    task<result<lease>> acquire(tenant_id owner, std::uint64_t size);

    [[nodiscard]] std::uint64_t in_use() const;
    [[nodiscard]] std::size_t waiting() const;

private:
    struct waiter;
    void release(const tenant_id& owner, std::uint64_t size);
    // With the mutex held.
    [[nodiscard]] bool fits_the_whole(std::uint64_t size) const noexcept {
        return used_ == 0 || used_ + size <= capacity_;
    }
    [[nodiscard]] bool fits_the_part(const tenant_id& owner, std::uint64_t size) const;
    void admit();

    const std::uint64_t capacity_;
    const std::chrono::seconds patience_;
    mutable std::mutex mutex_;
    std::uint64_t used_ = 0;
    std::unordered_map<tenant_id, std::uint64_t> used_by_;  // those that have something in flight
    std::deque<std::shared_ptr<waiter>> waiters_;
};

}  // namespace gallery::images
