// SPDX-License-Identifier: Apache-2.0
/// The use cases of tenant profiles. System administrators keep them.
///
/// Threads: any number of calls on any I/O threads. Errors, besides those named: those of the directory.
#pragma once

#include "accounts/directory.hpp"
#include "accounts/proof.hpp"

#include <gallery/error.hpp>
#include <gallery/task.hpp>
#include <gallery/uuid.hpp>

#include <optional>
#include <string>
#include <vector>

namespace gallery::accounts {

struct submitted_profile {
    std::optional<uuid> id;  ///< absent means a new profile
    std::string name;
    std::string description;
    bool is_default = false;
    bool isolated_rule_engine = false;
    std::string data;  ///< JSON text, as set_data() takes it
};

class tenant_profiles {
public:
    /// @p all outlives this.
    explicit tenant_profiles(directory& all) : all_(all) {}

    /// Creates or changes a profile. **Ours**: the default profile remains the default one, whatever was
    /// sent; there is always one. Errors: not_found; already_exists for a name that is taken;
    /// invalid_argument for data that set_data() refuses, and for another profile that was sent as the
    /// default one.
    task<result<tenant_profile_ptr>> save(system_administrator who, submitted_profile sent);
    /// Error: not_found.
    result<tenant_profile_ptr> find(const system_administrator& who, tenant_profile_id id) const;
    /// Creates it if there is none.
    task<result<tenant_profile_ptr>> find_default(system_administrator who);
    /// For new tenants; existing ones keep their profile. Error: not_found.
    task<result<tenant_profile_ptr>> make_default(system_administrator who, tenant_profile_id id);
    /// Errors: not_found; invalid_argument for the default profile, and for one that tenants have.
    task<result<void>> erase(system_administrator who, tenant_profile_id id);
    [[nodiscard]] std::vector<tenant_profile_ptr> list(const system_administrator& who) const;

private:
    directory& all_;
};

}  // namespace gallery::accounts
