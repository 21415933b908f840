// SPDX-License-Identifier: Apache-2.0
#include "auth/request_limit.hpp"

#include "auth/principal.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace gallery::auth {

request_limit::request_limit(std::vector<request_rate> rates, std::atomic<std::uint64_t>& refused)
    : rates_(std::move(rates)),
      paid_until_(std::make_unique<std::atomic<std::int64_t>[]>(rates_.size())),
      refused_(refused) {}

std::optional<std::uint32_t> request_limit::take(clock::time_point when) noexcept {
    constexpr auto relaxed = std::memory_order_relaxed;
    const auto now = request_rate::nanoseconds(when);
    for (std::size_t i = 0; i < rates_.size(); ++i) {
        auto paid = paid_until_[i].load(relaxed);
        for (;;) {
            const auto taken = rates_[i].take(paid, now);
            if (taken.wait > 0) {
                give_back(i);
                auto wait = taken.wait;
                for (auto k = i + 1; k < rates_.size(); ++k)
                    wait = std::max(wait, rates_[k].take(paid_until_[k].load(relaxed), now).wait);
                refused_.fetch_add(1, relaxed);
                return request_rate::seconds_to_wait(wait);
            }
            if (paid_until_[i].compare_exchange_weak(paid, taken.paid_until, relaxed)) break;
        }
    }
    return std::nullopt;
}

void request_limit::give_back(std::size_t count) noexcept {
    for (std::size_t i = 0; i < count; ++i)
        paid_until_[i].fetch_sub(rates_[i].interval(), std::memory_order_relaxed);
}

namespace {

/// Begins with ThingsBoard's text.
error too_many(std::string_view of, const request_limit& limit, std::uint32_t seconds) {
    const std::string whose(of);
    return {errc::too_many_requests,
            "Too many requests for current " + whose + "! The tenant profile allows each " + whose + " " +
                text_of(limit.rates()) + ". Try again in " + std::to_string(seconds) + " s.",
            seconds};
}

}  // namespace

result<void> take_request(const principal& who) {
    if (!who.tenant_requests && !who.customer_requests) [[likely]]
        return {};
    const auto now = request_limit::clock::now();
    if (who.customer_requests) {
        if (const auto wait = who.customer_requests->take(now))
            return too_many("customer", *who.customer_requests, *wait);
    }
    if (who.tenant_requests) {
        if (const auto wait = who.tenant_requests->take(now)) {
            if (who.customer_requests) who.customer_requests->give_back();
            return too_many("tenant", *who.tenant_requests, *wait);
        }
    }
    return {};
}

}  // namespace gallery::auth
