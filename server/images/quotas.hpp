// SPDX-License-Identifier: Apache-2.0
/// The limits of tenants for the size of one image and for the bytes of all their images.
///
/// The size of one image is checked here, against its original. The bytes of all images are checked by the
/// store, in the same step as the write (usage_limit in gallery/write.hpp), so that no number of simultaneous
/// uploads, on any number of servers, exceeds the limit. The store counts the originals of current images, as
/// ThingsBoard does: not their previews, and not kept versions.
#pragma once

#include <gallery/error.hpp>
#include <gallery/write.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace gallery::images {

/// The smaller one of two limits of which 0 is none.
constexpr std::uint64_t smaller_limit(std::uint64_t a, std::uint64_t b) noexcept {
    if (a == 0 || b == 0) return a + b;
    return a < b ? a : b;
}

/// Of one tenant. 0: no limit.
struct tenant_quota {
    std::uint64_t max_image_bytes = 0;
    std::uint64_t max_total_bytes = 0;

    /// For the saves of the tenant.
    [[nodiscard]] usage_limit limit_of_saves() const noexcept {
        usage_limit out;
        if (max_total_bytes != 0) out.bytes = max_total_bytes;
        return out;
    }
};

/// The quota that is in force now; of the system's images none. Any thread; must not block.
using quota_source = std::function<tenant_quota(const tenant_id&)>;

/// The largest size of an image, and whose limit it is.
struct size_limit {
    std::uint64_t bytes = 0;
    bool is_of_tenant = false;  ///< otherwise of the server
};

/// How much of an image is known when it is refused.
enum class known_size : std::uint8_t { whole, so_far };

/// Thread-safe.
class quotas {
public:
    /// Without @p source no tenant has a limit.
    explicit quotas(quota_source source = {}) : source_(std::move(source)) {}

    [[nodiscard]] tenant_quota of(const tenant_id& tenant) const {
        return source_ ? source_(tenant) : tenant_quota();
    }

    /// The smaller of the tenant's limit and that of the server.
    [[nodiscard]] size_limit limit_of_image(const tenant_id& tenant, std::uint64_t of_server) const;

    /// Error: too_large for an image of @p size bytes that is over the tenant's own limit.
    [[nodiscard]] result<void> check_image(const tenant_id& tenant, std::uint64_t size);

    /// The error of an image over the limit, too_large. @p size: bytes of it, as far as @p known.
    [[nodiscard]] error refuse_image(const size_limit& limit, std::uint64_t size, known_size known);

    /// The error of images that would have more bytes together than the tenant's quota, too_large. @p used:
    /// bytes of them now.
    [[nodiscard]] error refuse_total(const tenant_quota& quota, std::uint64_t used);
    /// The same for an image of @p size bytes that would replace one of @p replaced bytes, or 0.
    [[nodiscard]] error refuse_total(const tenant_quota& quota, std::uint64_t used, std::uint64_t size,
                                     std::uint64_t replaced);

    /// Images that were refused since the start.
    struct figures {
        std::uint64_t by_size = 0;
        std::uint64_t by_total = 0;
    };
    [[nodiscard]] figures refused() const noexcept;

private:
    /// @p what does not fit.
    error refuse_total(const tenant_quota& quota, std::uint64_t used, const std::string& what);

    const quota_source source_;
    std::atomic<std::uint64_t> refused_by_size_{0};
    std::atomic<std::uint64_t> refused_by_total_{0};
};

}  // namespace gallery::images
