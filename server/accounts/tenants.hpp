// SPDX-License-Identifier: Apache-2.0
/// The use cases of tenants. System administrators keep them; an administrator of a tenant reads it.
///
/// The tenants that are returned have a profile, unless there is none at all: the default one stands for one
/// that is absent or does not exist.
///
/// Threads: any number of calls on any I/O threads. Errors, besides those named: those of the directory.
#pragma once

#include "accounts/directory.hpp"
#include "accounts/proof.hpp"
#include "accounts/submitted.hpp"

#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace gallery::accounts {

/// How many images a tenant has. Given by the gallery.
using count_tenant_images = std::function<task<result<std::uint64_t>>(tenant_id)>;

struct tenant_contents {
    std::uint64_t images = 0;
    std::size_t users = 0;
    std::size_t customers = 0;
    std::size_t api_keys = 0;
};

class tenants {
public:
    /// @p all outlives this. @p adopts: a ThingsBoard server can have our signing key, so that there are
    /// tenants that are not known here.
    tenants(directory& all, tenant_images_eraser erase_images, count_tenant_images count_images, bool adopts);

    /// Creates or changes a tenant. A new one without a profile gets the default profile; a changed one keeps
    /// its profile. **Ours**: where tenants are adopted, an id that is not known here is that
    /// of a tenant of ThingsBoard. It gets an account here, so that it can have users and API keys and can be
    /// deleted; what its users have uploaded stays its own. Errors: not_found, also for a tenant that was
    /// deleted, and for a profile; version_conflict; invalid_argument.
    task<result<tenant_ptr>> save(system_administrator who, submitted<tenant> sent);
    /// Errors: not_found; permission_denied for an administrator of another tenant.
    result<tenant_ptr> find(const administrator& who, tenant_id id) const;
    /// What deleting the tenant deletes. Error: not_found.
    task<result<tenant_contents>> contents(system_administrator who, tenant_id id);
    /// Error: not_found.
    task<result<void>> erase(system_administrator who, tenant_id id);
    [[nodiscard]] std::vector<tenant_ptr> list(const system_administrator& who) const;

private:
    [[nodiscard]] result<void> may_adopt(tenant_id id) const;
    task<result<tenant_ptr>> store(submitted<tenant> sent, bool is_new);
    [[nodiscard]] tenant_ptr with_profile(tenant_ptr found) const;

    directory& all_;
    tenant_images_eraser erase_images_;
    count_tenant_images count_images_;
    bool adopts_;
};

}  // namespace gallery::accounts
