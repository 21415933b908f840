// SPDX-License-Identifier: Apache-2.0
/// A limit for the memory of all images in flight.
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

/// An owner of image bytes in memory holds a lease for their size. Requests that do not fit wait in
/// order of arrival, so small uploads cannot delay a large one forever, and give up after the configured
/// time. One tenant may use three quarters of the budget, so other tenants always find space.
/// Thread-safe.
class byte_budget {
public:
    /// Returns its bytes when it is destroyed. Movable; must not outlive the budget.
    class lease {
    public:
        lease() = default;
        lease(lease&& other) noexcept;
        lease& operator=(lease&& other) noexcept;
        ~lease();
        [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
        /// Returns a part. Precondition: smaller <= size().
        void shrink(std::uint64_t smaller);

    private:
        friend class byte_budget;
        lease(byte_budget* budget, const tenant_id& owner, std::uint64_t size) noexcept
            : budget_(budget), owner_(owner), size_(size) {}
        byte_budget* budget_ = nullptr;
        tenant_id owner_;
        std::uint64_t size_ = 0;
    };

    /// A request for more than @p capacity is granted when nothing else is in flight, and one for more than a
    /// tenant's share when that tenant has nothing else in flight. One image of an allowed size therefore
    /// always fits.
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
