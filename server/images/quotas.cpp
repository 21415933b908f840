// SPDX-License-Identifier: Apache-2.0
#include "images/quotas.hpp"

#include <string>

namespace gallery::images {

size_limit quotas::limit_of_image(const tenant_id& tenant, std::uint64_t of_server) const {
    const auto own = of(tenant).max_image_bytes;
    if (own != 0 && own < of_server) return {own, true};
    return {of_server, false};
}

result<void> quotas::check_image(const tenant_id& tenant, std::uint64_t size) {
    const auto own = of(tenant).max_image_bytes;
    if (own == 0 || size <= own) return {};
    return refuse_image({own, true}, size, known_size::whole);
}

error quotas::refuse_image(const size_limit& limit, std::uint64_t size, known_size known) {
    refused_by_size_.fetch_add(1, std::memory_order_relaxed);
    const auto bytes = std::to_string(limit.bytes) + " bytes, ";
    const auto found = ": it has " + std::string(known == known_size::whole ? "" : "at least ") +
                       std::to_string(size) + ". Make it smaller, or ask the ";
    if (limit.is_of_tenant) {
        return {errc::too_large, "The image is larger than " + bytes + "the limit of this tenant" + found +
                                     "system administrator to raise the limit in the tenant profile."};
    }
    return {errc::too_large, "The image is larger than " + bytes + "the limit of this server" + found +
                                 "administrator to raise the limit."};
}

error quotas::refuse_total(const tenant_quota& quota, std::uint64_t used) {
    return refuse_total(quota, used, "This image");
}

error quotas::refuse_total(const tenant_quota& quota, std::uint64_t used, std::uint64_t size,
                           std::uint64_t replaced) {
    std::string what = "This image of " + std::to_string(size) + " bytes";
    if (replaced != 0) what += ", instead of " + std::to_string(replaced) + ",";
    return refuse_total(quota, used, what);
}

error quotas::refuse_total(const tenant_quota& quota, std::uint64_t used, const std::string& what) {
    refused_by_total_.fetch_add(1, std::memory_order_relaxed);
    return {errc::too_large, "The images of this tenant may have " + std::to_string(quota.max_total_bytes) +
                                 " bytes together, and have " + std::to_string(used) + ". " + what +
                                 " does not fit. Delete images or replace them by smaller ones, or ask the "
                                 "system administrator to raise the limit in the tenant profile."};
}

quotas::figures quotas::refused() const noexcept {
    constexpr auto relaxed = std::memory_order_relaxed;
    return {refused_by_size_.load(relaxed), refused_by_total_.load(relaxed)};
}

}  // namespace gallery::images
