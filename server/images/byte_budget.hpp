// SPDX-License-Identifier: Apache-2.0
/// A limit for the memory of all images in flight.
#pragma once

#include <gallery/error.hpp>
#include <gallery/model.hpp>
#include <gallery/task.hpp>

#include <boost/asio/basic_waitable_timer.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
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

    /// Errors: busy after the patience; unavailable after stop().
    task<result<lease>> acquire(tenant_id owner, std::uint64_t size);

    /// Answers whoever waits, and all later requests, with unavailable. Called before the I/O contexts of
    /// those who wait are destroyed; leases are returned as before. From any thread.
    void stop();

    [[nodiscard]] std::uint64_t in_use() const;
    [[nodiscard]] std::size_t waiting() const;

private:
    struct waiter {
        std::uint64_t number;
        tenant_id owner;
        std::uint64_t size;
        resumption<result<lease>> waiting;
    };
    using patience_timer =
        asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                                   io_executor>;

    /// @p patience ends with the wait; it is started only if there is one.
    void enqueue(const tenant_id& owner, std::uint64_t size, resumption<result<lease>> waiting,
                 patience_timer& patience);
    /// Without effect where the waiter was let in before.
    void give_up(std::uint64_t number);
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
    std::deque<waiter> waiters_;                            // in order of arrival
    std::uint64_t last_number_ = 0;
    bool stopped_ = false;
};

}  // namespace gallery::images
