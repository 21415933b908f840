// SPDX-License-Identifier: Apache-2.0
#include "cache/etag_cache.hpp"

#include <chrono>
#include <cstring>
#include <ctime>

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

void etag_cache::invalidate(const tenant_id& tenant, std::string_view image_key) noexcept {
    entries_.erase(image_subject(tenant, image_key));
}

void etag_cache::invalidate_public(std::string_view public_key) noexcept {
    entries_.erase(link_subject(public_key));
}

}  // namespace gallery::cache
