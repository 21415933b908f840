// SPDX-License-Identifier: Apache-2.0
/// The limit of the requests of one tenant or one customer.
#pragma once

#include "auth/request_rate.hpp"

#include <gallery/error.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace gallery::auth {

struct principal;

/// Some rates, all of which apply at once. All members may be called by any thread; none locks or allocates.
/// Every bucket is full at first.
class request_limit {
public:
    using clock = request_rate::clock;

    /// @p refused counts what is refused, and outlives every call of take().
    request_limit(std::vector<request_rate> rates, std::atomic<std::uint64_t>& refused);

    /// Takes one request of each rate. A value: nothing was taken; a request may be allowed after so many
    /// seconds.
    [[nodiscard]] std::optional<std::uint32_t> take(clock::time_point now) noexcept;
    /// Gives back one that was taken.
    void give_back() noexcept { give_back(rates_.size()); }

    [[nodiscard]] const std::vector<request_rate>& rates() const noexcept { return rates_; }

private:
    /// To the first @p count rates.
    void give_back(std::size_t count) noexcept;

    const std::vector<request_rate> rates_;
    const std::unique_ptr<std::atomic<std::int64_t>[]> paid_until_;  ///< of each rate (request_rate)
    std::atomic<std::uint64_t>& refused_;
};

/// Takes one request of the limits of the principal's customer and tenant. Without limits this is two
/// comparisons. Error: too_many_requests with retry_after; then nothing was taken.
[[nodiscard]] result<void> take_request(const principal& who);

}  // namespace gallery::auth
