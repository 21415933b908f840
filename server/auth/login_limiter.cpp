#include "auth/login_limiter.hpp"

#include <algorithm>

namespace gallery::auth {
namespace {

/// Hashes nothing and truncates: an account's name is at most 255 characters where it exists, and all longer
/// ones fail alike.
std::string key_of(std::string_view account, std::string_view address) {
    std::string key(address.substr(0, 64));
    key += '\n';
    key += account.substr(0, 128);
    return key;
}

std::chrono::seconds wait_after(int failures) {
    const auto doublings = std::clamp(failures - login_limiter::free_failures, 0, 6);
    return std::min(std::chrono::seconds(1 << doublings), login_limiter::longest_wait);
}

}  // namespace

login_limiter::login_limiter(std::size_t max_entries) : max_entries_(std::max<std::size_t>(max_entries, 1)) {}

std::optional<std::chrono::seconds> login_limiter::begin(std::string_view account, std::string_view address,
                                                         time_point now) {
    const auto key = key_of(account, address);
    const std::lock_guard lock(mutex_);
    const auto found = index_.find(key);
    if (found == index_.end()) return std::nullopt;
    auto& known = *found->second;
    if (now - known.last > memory || known.failures < free_failures) return std::nullopt;
    if (now < known.blocked_until) return std::chrono::ceil<std::chrono::seconds>(known.blocked_until - now);
    // From here on one try at a time: many at once would be a way around the waiting.
    known.blocked_until = now + wait_after(known.failures);
    return std::nullopt;
}

void login_limiter::failed(std::string_view account, std::string_view address, time_point now) {
    auto key = key_of(account, address);
    const std::lock_guard lock(mutex_);
    auto found = index_.find(key);
    if (found == index_.end()) {
        if (entries_.size() == max_entries_) {
            index_.erase(entries_.back().key);
            entries_.pop_back();
        }
        entries_.push_front({.key = std::move(key), .failures = 0, .last = now, .blocked_until = {}});
        found = index_.emplace(entries_.front().key, entries_.begin()).first;
    }
    auto& known = *found->second;
    if (now - known.last > memory) known.failures = 0;
    known.last = now;
    ++known.failures;
    if (known.failures >= free_failures) known.blocked_until = now + wait_after(known.failures);
    entries_.splice(entries_.begin(), entries_, found->second);
}

void login_limiter::succeeded(std::string_view account, std::string_view address) {
    const auto key = key_of(account, address);
    const std::lock_guard lock(mutex_);
    const auto found = index_.find(key);
    if (found == index_.end()) return;
    const auto where = found->second;
    index_.erase(found);
    entries_.erase(where);
}

}  // namespace gallery::auth
