// SPDX-License-Identifier: Apache-2.0
#include "auth/login_limiter.hpp"

#include "auth/network.hpp"

#include <algorithm>
#include <utility>

namespace gallery::auth {
namespace {

/// Hashes nothing and truncates: an account's name is at most 255 characters where it exists, and all longer
/// ones fail alike.
std::string key_of(std::string_view account, std::string_view network) {
    std::string key(network);
    key += '\n';
    key += account.substr(0, 128);
    return key;
}

std::chrono::seconds wait_after(int failures) {
    const auto doublings = std::clamp(failures - login_limiter::free_failures, 0, 6);
    return std::min(std::chrono::seconds(1 << doublings), login_limiter::longest_wait);
}

}  // namespace

login_limiter::login_limiter(std::size_t max_entries) : records_(std::max<std::size_t>(max_entries, 1)) {}

login_limiter::attempt::attempt(attempt&& other) noexcept
    : limiter_(std::exchange(other.limiter_, nullptr)),
      key_(std::move(other.key_)),
      network_(std::move(other.network_)),
      wait_(other.wait_) {}

login_limiter::attempt::~attempt() {
    if (limiter_ == nullptr) return;
    limiter_->given_up(key_);
    limiter_->networks_.give_back(network_);
}

void login_limiter::attempt::failed(time_point now) {
    std::exchange(limiter_, nullptr)->failed(key_, now);
}

void login_limiter::attempt::succeeded() {
    limiter_->networks_.give_back(network_);
    std::exchange(limiter_, nullptr)->succeeded(key_);
}

login_limiter::attempt login_limiter::begin(std::string_view account, std::string_view address,
                                            time_point now) {
    auto network = network_of(address);
    auto key = key_of(account, network);
    const lock_guard lock(mutex_);
    int failures = 0;
    time_point blocked_until{};
    if (const auto* found = records_.peek(key); found != nullptr && now - found->value.last <= memory) {
        failures = found->value.failures;
        blocked_until = found->value.blocked_until;
    }
    const auto known = under_way_.find(key);
    const int tries = known == under_way_.end() ? 0 : known->second;
    if (failures + tries >= free_failures) {
        const auto wait = std::chrono::ceil<std::chrono::seconds>(blocked_until - now);
        if (tries > 0) return attempt(std::max(wait, std::chrono::seconds(1)));
        if (now < blocked_until) return attempt(wait);
    }
    if (const auto wait = networks_.take(network, now)) return attempt(*wait);
    ++under_way_[key];
    return {this, std::move(key), std::move(network)};
}

void login_limiter::failed(const std::string& key, time_point now) {
    const lock_guard lock(mutex_);
    end_try(key);
    auto* found = records_.find(key);
    if (found == nullptr) found = records_.put(key, {.failures = 0, .last = now, .blocked_until = {}}, 1);
    auto& known = found->value;
    if (now - known.last > memory) known.failures = 0;
    known.last = now;
    ++known.failures;
    if (known.failures >= free_failures) known.blocked_until = now + wait_after(known.failures);
}

void login_limiter::succeeded(const std::string& key) {
    const lock_guard lock(mutex_);
    end_try(key);
    records_.erase(key);
}

void login_limiter::given_up(const std::string& key) {
    const lock_guard lock(mutex_);
    end_try(key);
}

void login_limiter::end_try(const std::string& key) {
    const auto found = under_way_.find(key);
    if (--found->second == 0) under_way_.erase(found);
}

}  // namespace gallery::auth
