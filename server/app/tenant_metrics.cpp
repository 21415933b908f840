// SPDX-License-Identifier: Apache-2.0
#include "app/tenant_metrics.hpp"

#include "api/authentication.hpp"

#include <bit>
#include <cstring>

namespace gallery::app {

namespace {

/// Ids are random in most bits, but those of clients may not be, so all bits are mixed.
std::size_t hash_of(const tenant_id& tenant) noexcept {
    std::uint64_t halves[2];
    static_assert(sizeof(halves) == sizeof(tenant.value.data));
    std::memcpy(halves, tenant.value.data, sizeof halves);
    return static_cast<std::size_t>(
        ((halves[0] * 0x9E3779B97F4A7C15ULL) ^ halves[1]) * 0xD6E8FEB86659FD93ULL >> 20);
}

std::size_t table_size(std::size_t most) noexcept {
    return most == 0 ? 0 : std::bit_ceil(2 * most);
}

}  // namespace

struct tenant_metrics::counters {
    std::atomic<std::uint64_t> requests{0};
    std::atomic<std::uint64_t> sent{0};
};

tenant_metrics::shard::shard(std::size_t places) : all(places) {}
tenant_metrics::shard::~shard() = default;
tenant_metrics::~tenant_metrics() = default;

tenant_metrics::tenant_metrics(std::size_t most) : most_(most), table_(table_size(most)) {}

std::size_t tenant_metrics::place_of(const tenant_id& tenant) noexcept {
    const auto mask = table_.size() - 1;
    // At most half of the places are filled, so an empty one ends the search.
    for (auto at = hash_of(tenant) & mask;; at = (at + 1) & mask) {
        auto& here = table_[at];
        auto state = here.state.load(std::memory_order_acquire);
        if (state == filling::filled) {
            if (here.tenant == tenant) return at;
            continue;
        }
        // Another thread is about to fill it, perhaps with this tenant. This request is one of the others.
        if (state == filling::in_progress || used_.load(std::memory_order_relaxed) >= most_)
            return table_.size();
        if (!here.state.compare_exchange_strong(state, filling::in_progress, std::memory_order_relaxed))
            return table_.size();
        if (used_.fetch_add(1, std::memory_order_relaxed) >= most_) {
            used_.fetch_sub(1, std::memory_order_relaxed);
            here.state.store(filling::empty, std::memory_order_relaxed);
            return table_.size();
        }
        here.tenant = tenant;
        here.state.store(filling::filled, std::memory_order_release);
        return at;
    }
}

void tenant_metrics::count(const http::finished_exchange& e) noexcept {
    const auto* const who = api::known_principal(e.message);
    count(who != nullptr ? &who->tenant : nullptr, e.bytes_out);
}

void tenant_metrics::count(const tenant_id* tenant, std::uint64_t sent) noexcept {
    const auto at = tenant != nullptr ? place_of(*tenant) : table_.size();
    counters& mine = shards_.mine(table_.size() + 1).all[at];
    plugins::add_alone(mine.requests, 1);
    plugins::add_alone(mine.sent, sent);
}

std::vector<tenant_metrics::figures> tenant_metrics::read() const {
    std::vector<figures> sums(table_.size() + 1);
    for (std::size_t i = 0; i < table_.size(); ++i) {
        if (table_[i].state.load(std::memory_order_acquire) == filling::filled)
            sums[i].tenant = table_[i].tenant;
    }
    shards_.for_each([&sums](const shard& part) {
        for (std::size_t i = 0; i < sums.size(); ++i) {
            sums[i].requests += part.all[i].requests.load(std::memory_order_relaxed);
            sums[i].sent += part.all[i].sent.load(std::memory_order_relaxed);
        }
    });
    std::vector<figures> out;
    for (std::size_t i = 0; i < table_.size(); ++i) {
        if (sums[i].tenant) out.push_back(sums[i]);
    }
    out.push_back(sums.back());
    return out;
}

}  // namespace gallery::app
