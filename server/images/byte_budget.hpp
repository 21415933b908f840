// SPDX-License-Identifier: Apache-2.0
/// A limit for the memory of all images in flight.
#pragma once

#include <gallery/byte_gate.hpp>
#include <gallery/bytes.hpp>
#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace gallery::images {

/// An owner of image bytes in memory holds a lease for their size. Requests that do not fit wait in order of
/// arrival, and give up after the configured time. One tenant may use three quarters of the budget, so other
/// tenants always find space. One image of an allowed size always fits (byte_gate). Thread-safe.
class byte_budget {
public:
    using lease = byte_gate::lease;

    byte_budget(std::uint64_t capacity, std::chrono::seconds patience)
        : gate_({.all = capacity, .each_owner = part_of_owner(capacity)}), patience_(patience) {}

    /// Requests that wait may be admitted by a larger capacity, and still give up after the former patience.
    /// With a smaller one, requests in progress go on, and further ones wait until enough of them have ended.
    void change(std::uint64_t capacity, std::chrono::seconds patience) {
        patience_.store(patience, std::memory_order_relaxed);
        gate_.set_limits(capacity, part_of_owner(capacity));
    }

    /// Errors: busy after the patience; unavailable after stop().
    task<result<lease>> acquire(tenant_id owner, std::uint64_t size) {
        const std::chrono::seconds patience = patience_.load(std::memory_order_relaxed);
        auto admitted = co_await gate_.enter(size, owner, patience);
        if (!admitted && admitted.error().code == errc::busy)
            co_return error{
                errc::busy,
                "The memory for uploads is in use (HTTP_UPLOAD_MEMORY), and none became available "
                "for this upload within " +
                    std::to_string(patience.count()) + " s. Try again later."};
        if (!admitted)
            co_return error{errc::unavailable, "The server is stopping. The upload was not accepted."};
        co_return std::move(*admitted);
    }

    /// Adds bytes to @p mine until it has @p size, if it has less. See byte_gate::grow(): not all that need
    /// more memory can wait for it. Errors: busy; unavailable after stop().
    task<result<void>> grow(lease& mine, tenant_id owner, std::uint64_t size) {
        if (size <= mine.size()) co_return result<void>();
        const std::chrono::seconds patience = patience_.load(std::memory_order_relaxed);
        auto grown = co_await gate_.grow(mine, size - mine.size(), owner, patience);
        if (!grown && grown.error().code == errc::busy)
            co_return error{
                errc::busy,
                "The memory for uploads is in use (HTTP_UPLOAD_MEMORY), and none became available for an "
                "answer. Try again later."};
        co_return grown;
    }

    /// See byte_gate::stop().
    void stop() { gate_.stop(); }

    [[nodiscard]] std::uint64_t in_use() const { return gate_.in_use(); }
    [[nodiscard]] std::size_t waiting() const { return gate_.waiting(); }

private:
    static constexpr std::uint64_t part_of_owner(std::uint64_t capacity) noexcept { return capacity / 4 * 3; }

    byte_gate gate_;
    std::atomic<std::chrono::seconds> patience_;
};

/// Bytes that are sent as slowly as the client reads, and count against the budget for so long.
inline bytes leased(bytes data, byte_budget::lease memory) {
    struct owner {
        bytes data;
        byte_budget::lease memory;
    };
    const auto view = data.span();
    return {std::make_shared<const owner>(owner{std::move(data), std::move(memory)}), view};
}

}  // namespace gallery::images
