// SPDX-License-Identifier: Apache-2.0
#include "cache/etag_cache.hpp"

#include <chrono>
#include <cstring>
#include <ctime>
#include <utility>

namespace gallery::cache {

template class lru<etag_entry>;

namespace {

std::uint8_t variant_of(representation which, content_coding coded) noexcept {
    return static_cast<std::uint8_t>(static_cast<unsigned>(which) << 4 | static_cast<unsigned>(coded));
}

lru_key image_subject(const tenant_id& tenant, std::string_view image_key) noexcept {
    lru_key key{.text = image_key};
    static_assert(sizeof key.scope == sizeof tenant.value.data);
    std::memcpy(key.scope.data(), tenant.value.data, sizeof key.scope);
    return key;
}

lru_key link_subject(std::string_view public_key) noexcept {
    return {.scoped = false, .text = public_key};
}

void add_sums(lru_counters& to, const lru_counters& more) noexcept {
    to.hits += more.hits;
    to.misses += more.misses;
    to.fills += more.fills;
    to.dropped_fills += more.dropped_fills;
    to.evictions += more.evictions;
    to.expiries += more.expiries;
    to.erasures += more.erasures;
}

}  // namespace

etag_key etag_key::image(const tenant_id& tenant, std::string_view image_key, representation which,
                         content_coding coded) noexcept {
    etag_key key;
    key.key_ = image_subject(tenant, image_key);
    key.key_.variant = variant_of(which, coded);
    return key;
}

etag_key etag_key::link(std::string_view public_key, representation which, content_coding coded) noexcept {
    etag_key key;
    key.key_ = link_subject(public_key);
    key.key_.variant = variant_of(which, coded);
    return key;
}

etag_cache::time_point etag_cache::coarse_now() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return time_point(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

etag_cache::memory etag_cache::prepare(std::size_t max_bytes, std::chrono::minutes time_to_live) {
    const lock_guard hold(lock_);
    return std::make_unique<lru<etag_entry>>(max_bytes, time_to_live, ++incarnations_);
}

void etag_cache::replace(memory next) {
    const lock_guard hold(lock_);
    entries_.store(next.get());
    replaced_.push_back(std::exchange(owned_, std::move(next)));
}

void etag_cache::release_replaced() {
    std::vector<memory> unused;
    const lock_guard hold(lock_);
    unused.swap(replaced_);
    if (unused.empty()) return;
    // A write may have invalidated its image in the former memory only, while a fill with what was stored
    // before began in the new one. Such fills and their entries end here.
    owned_->clear();
    for (const auto& each : unused)
        add_sums(earlier_, each->counters());
}

lru_counters etag_cache::counters() const {
    const lock_guard hold(lock_);
    auto all = owned_->counters();
    add_sums(all, earlier_);
    for (const auto& each : replaced_)
        add_sums(all, each->counters());
    return all;
}

void etag_cache::invalidate(const tenant_id& tenant, std::string_view image_key) noexcept {
    entries().erase(image_subject(tenant, image_key));
}

void etag_cache::invalidate_public(std::string_view public_key) noexcept {
    entries().erase(link_subject(public_key));
}

}  // namespace gallery::cache
