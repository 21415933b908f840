// SPDX-License-Identifier: Apache-2.0
/// Slows down the guessing of passwords.
///
/// Counts failures per account and remote address. The first few are free; after each further one the pair
/// waits for twice as long as before, up to a minute, and tries one password at a time; a quarter of an hour
/// without a failure, or a success, and all is forgotten. A try under way counts as a failure until it has
/// ended, or many at once would be a way around the counting. Nobody is locked out for good, and nobody can
/// lock out another by failing in his name from elsewhere.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace gallery::auth {

/// All members may be called by any thread. Remembers at most max_entries pairs in some 2 MiB, the one that
/// failed longest ago making room, and the pairs of tries under way.
class login_limiter {
public:
    using time_point = std::chrono::steady_clock::time_point;

    static constexpr int free_failures = 5;
    static constexpr std::chrono::seconds longest_wait{60};
    static constexpr std::chrono::minutes memory{15};

    explicit login_limiter(std::size_t max_entries = 10'000);

    /// A try at a password. Must not outlive the limiter. One that ends neither failed nor succeeded, because
    /// no password was looked at, leaves nothing behind.
    class attempt {
    public:
        attempt(attempt&& other) noexcept;
        attempt& operator=(attempt&&) = delete;
        ~attempt();

        /// A value: look at no password, and say how long to wait.
        [[nodiscard]] std::optional<std::chrono::seconds> refused() const noexcept { return wait_; }

        // At most one of them, and not of one that was refused.
        void failed(time_point now);
        /// Forgets the pair's failures.
        void succeeded();

    private:
        friend class login_limiter;
        attempt(login_limiter* limiter, std::string key) : limiter_(limiter), key_(std::move(key)) {}
        explicit attempt(std::chrono::seconds wait) : wait_(wait) {}

        login_limiter* limiter_ = nullptr;  ///< until it has ended
        std::string key_;
        std::optional<std::chrono::seconds> wait_;
    };

    /// To be called before a password is looked at.
    [[nodiscard]] attempt begin(std::string_view account, std::string_view address, time_point now);

private:
    struct entry {
        std::string key;
        int failures = 0;
        time_point last{};
        time_point blocked_until{};
    };

    void failed(const std::string& key, time_point now);
    void succeeded(const std::string& key);
    void given_up(const std::string& key);
    void end_try(const std::string& key);  // the mutex is held

    const std::size_t max_entries_;
    std::mutex mutex_;                                                        ///< guards all that follows
    std::list<entry> entries_;                                                ///< the latest failure first
    std::unordered_map<std::string_view, std::list<entry>::iterator> index_;  ///< views of entry::key
    std::unordered_map<std::string, int> under_way_;                          ///< tries, never 0
};

}  // namespace gallery::auth
