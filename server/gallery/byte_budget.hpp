/// A bound on the memory that all uploads together may have in flight.
#pragma once

#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <boost/asio/basic_waitable_timer.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>

namespace gallery::service {

/// Whoever holds picture bytes in memory holds a lease over as many. Those that do not fit wait in order of
/// arrival, so a large upload is not passed by small ones for ever, and give up after the configured time.
/// Thread-safe.
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
        lease(byte_budget* budget, std::uint64_t size) noexcept : budget_(budget), size_(size) {}
        byte_budget* budget_ = nullptr;
        std::uint64_t size_ = 0;
    };

    /// A request for more than @p capacity is granted when nothing else is in flight: one picture of
    /// allowed size always fits, however small the budget.
    byte_budget(std::uint64_t capacity, std::chrono::seconds patience);

    /// Error: busy after the patience.
    task<result<lease>> acquire(std::uint64_t size);

    [[nodiscard]] std::uint64_t in_use() const;
    [[nodiscard]] std::size_t waiting() const;

private:
    struct waiter;
    void release(std::uint64_t size);
    // Both with the mutex held.
    [[nodiscard]] bool fits(std::uint64_t size) const noexcept {
        return used_ == 0 || used_ + size <= capacity_;
    }
    void admit();

    const std::uint64_t capacity_;
    const std::chrono::seconds patience_;
    mutable std::mutex mutex_;
    std::uint64_t used_ = 0;
    std::deque<std::shared_ptr<waiter>> waiters_;
};

}  // namespace gallery::service
