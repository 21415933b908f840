// SPDX-License-Identifier: Apache-2.0
#include "accounts/request_limits.hpp"

#include "accounts/rate_format.hpp"

#include <utility>
#include <vector>

namespace gallery::accounts {

std::vector<auth::request_rate> request_rates_of(const std::string& text) {
    std::vector<auth::request_rate> out;
    const auto parsed = parse_rates(text);
    if (!parsed) return out;
    for (const auto& each : *parsed)
        out.emplace_back(each.requests, each.seconds);
    return out;
}

/// Null where there are no rates.
template <class Id>
std::shared_ptr<auth::request_limit> request_limits::limit_of(limits_by<Id>& known, const Id& owner,
                                                              const std::string& rates,
                                                              std::atomic<std::uint64_t>& refused) {
    if (rates.empty()) return nullptr;
    if (const auto* const found = known.find(owner); found != nullptr && found->value.rates == rates)
        return found->value.limit;
    auto parsed = request_rates_of(rates);
    if (parsed.empty()) return nullptr;
    auto made = std::make_shared<auth::request_limit>(std::move(parsed), refused);
    known.put(owner, {rates, made}, 1);
    return made;
}

void request_limits::assign(auth::principal& who, const tenant_limits& limits) {
    const lock_guard lock(mutex_);
    who.tenant_requests = limit_of(tenants_, who.tenant, limits.tenant_requests, refused_by_tenant_);
    if (!who.customer) return;
    who.customer_requests =
        limit_of(customers_, *who.customer, limits.customer_requests, refused_by_customer_);
}

request_limits::figures request_limits::refused() const noexcept {
    constexpr auto relaxed = std::memory_order_relaxed;
    return {refused_by_tenant_.load(relaxed), refused_by_customer_.load(relaxed)};
}

}  // namespace gallery::accounts
