// SPDX-License-Identifier: Apache-2.0
/// Allows each of many users something a number of times at once, and then once per interval.
///
/// The generic cell rate algorithm: one time per user states until when the requests so far are paid for. A
/// user may be ahead of the clock by as many intervals as there are in the burst.
#pragma once

#include <gallery/bounded_lru.hpp>
#include <gallery/mutex.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace gallery::auth {

/// All members may be called by any thread. Keeps at most max_users; the one that took longest ago is
/// forgotten first.
class rate_limit {
public:
    using clock = std::chrono::steady_clock;

    struct limits {
        int burst = 1;
        clock::duration interval{};
        std::size_t max_users = 10'000;
    };
    /// Preconditions: burst >= 1; interval > 0; max_users >= 1.
    explicit rate_limit(limits bounds) : bounds_(bounds), users_(bounds.max_users) {}

    /// Takes one. A value: nothing was taken; try again after so long.
    [[nodiscard]] std::optional<std::chrono::seconds> take(std::string_view who, clock::time_point now);
    /// Gives back one that was taken.
    void give_back(std::string_view who);

private:
    const limits bounds_;
    mutex mutex_;
    /// Until when what each user took is paid for.
    bounded_lru<std::string, clock::time_point, text_hash> users_ GALLERY_GUARDED_BY(mutex_);
};

}  // namespace gallery::auth
