/// Slows down the guessing of passwords.
///
/// Counts failures per account and remote address. The first few are free; after each further one the pair
/// waits for twice as long as before, up to a minute, and tries one password at a time; a quarter of an hour
/// without a failure, or a success, and all is forgotten. Nobody is locked out for good, and nobody can lock
/// out another by failing in his name from elsewhere.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace gallery::auth {

/// All members may be called by any thread. Remembers at most max_entries pairs in some 2 MiB; the one that
/// failed longest ago makes room.
class login_limiter {
public:
    using time_point = std::chrono::steady_clock::time_point;

    static constexpr int free_failures = 5;
    static constexpr std::chrono::seconds longest_wait{60};
    static constexpr std::chrono::minutes memory{15};

    explicit login_limiter(std::size_t max_entries = 10'000);

    /// To be called before a password is looked at. No value: go on, and say how it ended with failed() or
    /// succeeded(). A value: refuse, and say how long to wait.
    std::optional<std::chrono::seconds> begin(std::string_view account, std::string_view address,
                                              time_point now);

    void failed(std::string_view account, std::string_view address, time_point now);

    /// Forgets the pair's failures.
    void succeeded(std::string_view account, std::string_view address);

private:
    struct entry {
        std::string key;
        int failures = 0;
        time_point last{};
        time_point blocked_until{};
    };

    const std::size_t max_entries_;
    std::mutex mutex_;
    std::list<entry> entries_;                                                ///< the latest failure first
    std::unordered_map<std::string_view, std::list<entry>::iterator> index_;  ///< views of entry::key
};

}  // namespace gallery::auth
