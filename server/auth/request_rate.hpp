// SPDX-License-Identifier: Apache-2.0
/// A rate of requests as a token bucket: a burst, and after that one request per interval of the rate.
///
/// The bucket is kept as one number, the time until which the requests taken are paid for (the generic cell
/// rate algorithm, as in rate_limit.hpp). A request moves it by one interval. It may be ahead of the clock by
/// as many intervals as the rate has requests. Pure; the owner of the number decides how it is shared.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>

namespace gallery::auth {

class request_rate {
public:
    using clock = std::chrono::steady_clock;

    /// @p requests in @p seconds. Precondition: both at least 1.
    constexpr request_rate(std::uint32_t requests, std::uint32_t seconds) noexcept
        : requests_(requests), seconds_(seconds) {}

    /// Nanoseconds of the clock.
    struct outcome {
        std::int64_t paid_until = 0;  ///< the new number, if the request is allowed
        std::int64_t wait = 0;        ///< above 0: the request is refused, and is allowed after so long
    };
    /// @p paid_until: the number so far; 0 for a full bucket.
    [[nodiscard]] constexpr outcome take(std::int64_t paid_until, std::int64_t now) const noexcept {
        const auto next = std::max(paid_until, now) + interval();
        return {next, next - now - interval() * requests_};
    }

    /// By what a request moves the number.
    [[nodiscard]] constexpr std::int64_t interval() const noexcept {
        // Rounded up, so that no period has more requests than the rate permits.
        return (std::int64_t{seconds_} * 1'000'000'000 + requests_ - 1) / requests_;
    }

    [[nodiscard]] constexpr std::uint32_t requests() const noexcept { return requests_; }
    [[nodiscard]] constexpr std::uint32_t seconds() const noexcept { return seconds_; }

    [[nodiscard]] static std::int64_t nanoseconds(clock::time_point when) noexcept {
        return std::chrono::duration_cast<std::chrono::nanoseconds>(when.time_since_epoch()).count();
    }
    /// Of outcome::wait: whole seconds, at least 1.
    [[nodiscard]] static std::uint32_t seconds_to_wait(std::int64_t wait) noexcept {
        return static_cast<std::uint32_t>(std::max<std::int64_t>((wait + 999'999'999) / 1'000'000'000, 1));
    }

    friend bool operator==(const request_rate&, const request_rate&) = default;

private:
    std::uint32_t requests_;
    std::uint32_t seconds_;
};

/// "100 requests in 1 s and 2000 requests in 60 s".
inline std::string text_of(std::span<const request_rate> rates) {
    std::string out;
    for (const auto& each : rates) {
        if (!out.empty()) out += " and ";
        out += std::to_string(each.requests()) + (each.requests() == 1 ? " request in " : " requests in ") +
               std::to_string(each.seconds()) + " s";
    }
    return out;
}

}  // namespace gallery::auth
