// SPDX-License-Identifier: Apache-2.0
/// Limits the bytes of large work in progress.
#pragma once

#include <gallery/error.hpp>
#include <gallery/export.hpp>
#include <gallery/mutex.hpp>
#include <gallery/task.hpp>
#include <gallery/uuid.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <list>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace gallery {

/// Admits work only while the sum of its bytes is within a limit. Other work waits in order of arrival,
/// without a thread. Work larger than the whole limit is admitted alone. Thread-safe; outlives its leases and
/// the waiting coroutines.
///
/// Large work that waits for the whole limit is passed by work of owners that have nothing in progress, so
/// that one owner's large work does not delay small work of others. It is passed by a quarter of the limit at
/// most, so small work cannot delay it forever.
class GALLERY_API byte_gate {
public:
    struct limits {
        std::uint64_t all = 0;
        /// Of one owner, so that others always find space. Work larger than this is admitted if its owner has
        /// nothing else in progress. Work that waits for its owner's bytes delays only work of that owner.
        std::uint64_t each_owner = std::numeric_limits<std::uint64_t>::max();
        /// Work of at most this many bytes is not counted and passes immediately.
        std::uint64_t uncounted = 0;
    };

    /// Returns its bytes when it is destroyed, on any thread. An empty one has none.
    class GALLERY_API lease {
    public:
        lease() = default;
        lease(lease&& other) noexcept;
        lease& operator=(lease&& other) noexcept;
        ~lease();
        [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
        /// Returns a part. Precondition: smaller <= size().
        void shrink(std::uint64_t smaller);
        /// Takes over the bytes of another lease. Precondition: both are of one gate and owner, or @p more is
        /// empty.
        void add(lease more) noexcept;

    private:
        friend class byte_gate;
        lease(byte_gate* gate, const std::optional<tenant_id>& owner, std::uint64_t size) noexcept
            : gate_(gate), owner_(owner), size_(size) {}
        byte_gate* gate_ = nullptr;
        std::optional<tenant_id> owner_;
        std::uint64_t size_ = 0;
    };

    explicit byte_gate(const limits& chosen);
    byte_gate(const byte_gate&) = delete;
    byte_gate& operator=(const byte_gate&) = delete;
    ~byte_gate();

    /// Waits without an end.
    task<lease> enter(std::uint64_t size);
    /// Errors: busy if it was not admitted within @p patience, unavailable after stop().
    task<result<lease>> enter(std::uint64_t size, tenant_id owner, std::chrono::milliseconds patience);

    /// Adds @p more bytes to a lease in use. Work that holds bytes while it waits for more can prevent the
    /// work it waits for from ending. Therefore only one lease of the gate waits to grow, before all work
    /// that was not admitted, and any other that does not fit is refused at once. The bytes of @p mine are
    /// not counted against it: work that is larger than a limit is admitted when it has nothing beside
    /// itself. Precondition: @p mine is of this gate and @p owner, or empty. It outlives the task and stays
    /// unchanged for an error. Errors: busy if it was not admitted within @p patience, or at once if another
    /// lease waits to grow; unavailable after stop().
    task<result<void>> grow(lease& mine, std::uint64_t more, tenant_id owner,
                            std::chrono::milliseconds patience);

    /// Changes both limits. Work that was admitted goes on; more of it than the new limits allow delays
    /// further work until enough has ended.
    void set_limits(std::uint64_t all, std::uint64_t each_owner);

    /// Answers all work that waits with a patience, and all such work that comes later, with unavailable.
    /// Call it before the I/O contexts of those who wait are destroyed. Leases are returned as before.
    void stop();

    /// Bytes of the work that was admitted.
    [[nodiscard]] std::uint64_t in_use() const;
    /// Work that has not been admitted.
    [[nodiscard]] std::size_t waiting() const;

private:
    struct waiter;
    using waiter_ptr = std::shared_ptr<waiter>;

    enum class answer : std::uint8_t { admitted, out_of_time, another_grows, stopped };

    /// Empty patience: no end. @p held: bytes of the lease that grows, 0 for new work.
    task<answer> wait(std::uint64_t size, std::optional<tenant_id> owner,
                      std::optional<std::chrono::milliseconds> patience, std::uint64_t held = 0);
    void give_up(const waiter_ptr& mine);
    void leave(const std::optional<tenant_id>& owner, std::uint64_t size);
    [[nodiscard]] bool fits(const waiter& next) const noexcept GALLERY_REQUIRES(mutex_);
    [[nodiscard]] bool fits_owner(const waiter& next) const GALLERY_REQUIRES(mutex_);
    [[nodiscard]] bool may_pass(const waiter& next, const waiter& blocked) const GALLERY_REQUIRES(mutex_);
    [[nodiscard]] bool may_pass_all(const waiter& next, const std::vector<waiter*>& blocked) const
        GALLERY_REQUIRES(mutex_);
    [[nodiscard]] std::vector<resumption<answer>> admit() GALLERY_REQUIRES(mutex_);

    const std::uint64_t uncounted_;
    mutable mutex mutex_;  ///< also guards the waiters
    std::uint64_t limit_ GALLERY_GUARDED_BY(mutex_);
    std::uint64_t limit_of_owner_ GALLERY_GUARDED_BY(mutex_);
    std::uint64_t in_use_ GALLERY_GUARDED_BY(mutex_) = 0;
    /// Owners with work in progress.
    std::unordered_map<tenant_id, std::uint64_t> of_owner_ GALLERY_GUARDED_BY(mutex_);
    std::list<waiter_ptr> waiting_
        GALLERY_GUARDED_BY(mutex_);  ///< in order of arrival, a lease that grows first
    bool is_stopped_ GALLERY_GUARDED_BY(mutex_) = false;
};

}  // namespace gallery
