// SPDX-License-Identifier: Apache-2.0
/// The use cases of customers. A tenant's administrators manage them; a customer's users read their own.
///
/// Threads: any number of calls on any I/O threads. Errors, besides those named: those of the directory.
#pragma once

#include "accounts/directory.hpp"
#include "accounts/proof.hpp"
#include "accounts/submitted.hpp"

#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <string>
#include <vector>

namespace gallery::accounts {

/// What happens if a title is taken: it is refused, or a unique one is derived from it.
struct title_policy {
    bool uniquify = false;
    bool incremental = false;  ///< a number is appended; otherwise random letters and digits
    std::string separator = "_";
};

class customers {
public:
    /// @p all outlives this.
    explicit customers(directory& all) : all_(all) {}

    /// Creates or changes a customer of the administrator's tenant. Errors: not_found; permission_denied for
    /// a customer of another tenant; version_conflict; already_exists for a title that is taken.
    task<result<customer_ptr>> save(tenant_administrator who, submitted<customer> sent, title_policy policy);
    /// Errors: not_found; permission_denied.
    result<customer_ptr> find(const tenant_member& who, customer_id id) const;
    /// With its users. Errors: not_found; permission_denied.
    task<result<void>> erase(tenant_administrator who, customer_id id);
    [[nodiscard]] std::vector<customer_ptr> list(const tenant_administrator& who) const;

private:
    [[nodiscard]] result<customer_ptr> find_of(const auth::principal& who, customer_id id) const;
    task<result<customer_ptr>> save_once(tenant_id owner, submitted<customer> sent);

    directory& all_;
};

}  // namespace gallery::accounts
