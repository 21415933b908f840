// SPDX-License-Identifier: Apache-2.0
/// The limits of requests of all tenants and customers, on this server.
#pragma once

#include "accounts/tenant_limits.hpp"
#include "auth/principal.hpp"
#include "auth/request_limit.hpp"

#include <gallery/bounded_lru.hpp>
#include <gallery/mutex.hpp>
#include <gallery/uuid.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace gallery::accounts {

/// The rates of a text that parse_rates() accepts; none for any other text.
std::vector<auth::request_rate> request_rates_of(const std::string& text);

/// Hands one request_limit to all principals of a tenant or customer. Principals keep it, so that a request
/// looks nothing up. All members may be called by any thread.
///
/// Keeps those of at most max_limits tenants, and of as many customers; the one that was assigned longest ago
/// is forgotten first. Principals keep a limit that was forgotten, so that a tenant may have two where there
/// are more tenants than that.
class request_limits {
public:
    static constexpr std::size_t max_limits = 20'000;

    /// Gives @p who the limits of its tenant and customer. A limit of other rates than before replaces the
    /// former one, and its buckets are full.
    void assign(auth::principal& who, const tenant_limits& limits);

    /// Requests that were refused since the start.
    struct figures {
        std::uint64_t by_tenant = 0;
        std::uint64_t by_customer = 0;
    };
    [[nodiscard]] figures refused() const noexcept;

private:
    struct known_limit {
        std::string rates;  ///< as in the profile
        std::shared_ptr<auth::request_limit> limit;
    };
    template <class Id>
    using limits_by = bounded_lru<Id, known_limit>;

    template <class Id>
    static std::shared_ptr<auth::request_limit> limit_of(limits_by<Id>& known, const Id& owner,
                                                         const std::string& rates,
                                                         std::atomic<std::uint64_t>& refused);

    std::atomic<std::uint64_t> refused_by_tenant_{0};
    std::atomic<std::uint64_t> refused_by_customer_{0};
    mutex mutex_;
    limits_by<tenant_id> tenants_ GALLERY_GUARDED_BY(mutex_){max_limits};
    limits_by<customer_id> customers_ GALLERY_GUARDED_BY(mutex_){max_limits};
};

}  // namespace gallery::accounts
