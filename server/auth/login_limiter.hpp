// SPDX-License-Identifier: Apache-2.0
/// Slows down the guessing of passwords.
///
/// Counts failures per account and network (network_of() a remote address). The first few are free. After
/// each further one the pair waits twice as long as before, up to a minute, and may try one password at a
/// time. A quarter of an hour without a failure, or a success, resets it. An attempt in progress counts as a
/// failure until it has ended; otherwise many simultaneous attempts could bypass the limit. No account is
/// locked out permanently, and failures from one network do not lock out another.
///
/// Who tries many names, each a few times, is held off by a second count: a network may fail network_failures
/// times at once, and then once per network_interval, whatever the names are.
#pragma once

#include "auth/rate_limit.hpp"

#include <gallery/bounded_lru.hpp>
#include <gallery/mutex.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace gallery::auth {

/// All members may be called by any thread. Keeps at most max_entries pairs in about 2 MiB, and the pairs of
/// attempts in progress. The pair with the oldest failure is evicted.
class login_limiter {
public:
    using time_point = std::chrono::steady_clock::time_point;

    static constexpr int free_failures = 5;
    static constexpr std::chrono::seconds longest_wait{60};
    static constexpr std::chrono::minutes memory{15};
    static constexpr int network_failures = 100;
    static constexpr std::chrono::seconds network_interval{10};

    explicit login_limiter(std::size_t max_entries = 10'000);

    /// An attempt with a password. Must not outlive the limiter. One that ends neither failed nor succeeded,
    /// because no password was checked, has no effect.
    class attempt {
    public:
        attempt(attempt&& other) noexcept;
        attempt& operator=(attempt&&) = delete;
        ~attempt();

        /// A value: do not check the password, and return this waiting time.
        [[nodiscard]] std::optional<std::chrono::seconds> refused() const noexcept { return wait_; }

        // At most one of these, and not after a refusal.
        void failed(time_point now);
        /// Resets the pair's failures.
        void succeeded();

    private:
        friend class login_limiter;
        attempt(login_limiter* limiter, std::string key, std::string network)
            : limiter_(limiter), key_(std::move(key)), network_(std::move(network)) {}
        explicit attempt(std::chrono::seconds wait) : wait_(wait) {}

        login_limiter* limiter_ = nullptr;  ///< until it has ended
        std::string key_;
        std::string network_;
        std::optional<std::chrono::seconds> wait_;
    };

    /// Call this before a password is checked.
    [[nodiscard]] attempt begin(std::string_view account, std::string_view address, time_point now);

private:
    struct record {
        int failures = 0;
        time_point last{};
        time_point blocked_until{};
    };

    void failed(const std::string& key, time_point now);
    void succeeded(const std::string& key);
    void given_up(const std::string& key);
    void end_try(const std::string& key) GALLERY_REQUIRES(mutex_);

    rate_limit networks_{{.burst = network_failures, .interval = network_interval}};
    mutex mutex_;
    bounded_lru<std::string, record, text_hash> records_
        GALLERY_GUARDED_BY(mutex_);  ///< the latest failure was used last
    std::unordered_map<std::string, int> under_way_ GALLERY_GUARDED_BY(mutex_);  ///< tries, never 0
};

}  // namespace gallery::auth
