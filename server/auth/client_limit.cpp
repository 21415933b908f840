// SPDX-License-Identifier: Apache-2.0
#include "auth/client_limit.hpp"

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

namespace gallery::auth {

std::size_t client_limit::key_hash::operator()(const network_key& of) const noexcept {
    return std::hash<std::string_view>()({reinterpret_cast<const char*>(of.data()), of.size()});
}

client_limit::client_limit(std::vector<request_rate> rates, std::size_t max_clients)
    : rates_(std::move(rates)) {
    for (auto& each : shards_) {
        const lock_guard lock(each.lock);
        each.clients.set_bound(max_clients / shard_count);
    }
}

std::optional<std::uint32_t> client_limit::take(const network_key& client, clock::time_point when) {
    const auto now = request_rate::nanoseconds(when);
    // The table of a shard uses the low bits.
    auto& part = shards_[(key_hash()(client) >> 56U) % shard_count];
    const lock_guard lock(part.lock);
    auto* known = part.clients.find(client);
    if (known == nullptr) known = part.clients.put(client, times(rates_.size()), 1);
    auto& paid = known->value;
    std::int64_t wait = 0;
    for (std::size_t i = 0; i < rates_.size(); ++i)
        wait = std::max(wait, rates_[i].take(paid[i], now).wait);
    if (wait > 0) return request_rate::seconds_to_wait(wait);
    for (std::size_t i = 0; i < rates_.size(); ++i)
        paid[i] = rates_[i].take(paid[i], now).paid_until;
    return std::nullopt;
}

}  // namespace gallery::auth
