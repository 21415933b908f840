// SPDX-License-Identifier: Apache-2.0
/// Creates the accounts of a new server.
#pragma once

#include "accounts/directory.hpp"
#include "auth/password.hpp"

#include <gallery/error.hpp>
#include <gallery/task.hpp>
#include <gallery/uuid.hpp>

#include <optional>
#include <string>
#include <vector>

namespace gallery::accounts {

/// A new account, for the start report. Only this object contains the password.
struct new_account {
    std::string email;
    auth::authority role = auth::authority::sys_admin;
    std::string password;
    bool generated = false;  ///< the password was generated and must be shown; false: the operator set it
};

/// Makes a system administrator where there is none at all. @p password empty: one is generated. Nothing is
/// changed where there is one, whatever its name and password. Empty result: nothing was made. @p also: what
/// else the store must hold for each account to be made. Errors: invalid_argument for a password that the
/// policy refuses, and what the directory reports.
task<result<std::optional<new_account>>> ensure_sysadmin(directory& accounts,
                                                         auth::password_service& passwords, std::string email,
                                                         std::string password,
                                                         directory::requirements also = {});

struct demo_accounts {
    tenant_id tenant;               ///< of tenant@gallery.local, whether made now or before
    std::vector<new_account> made;  ///< empty where all were there already
};

/// Makes a tenant with an administrator (tenant@gallery.local) and, in a customer of it, a user
/// (customer@gallery.local), as far as they are not there yet. @p password empty: one is generated for each.
/// @p also: as above.
task<result<demo_accounts>> ensure_demo(directory& accounts, auth::password_service& passwords,
                                        std::string password, directory::requirements also = {});

inline constexpr const char* demo_tenant_email = "tenant@gallery.local";
inline constexpr const char* demo_customer_email = "customer@gallery.local";

}  // namespace gallery::accounts
