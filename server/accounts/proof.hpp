// SPDX-License-Identifier: Apache-2.0
/// Proofs that a permission was checked. The use cases of the accounts take one as an argument, so a handler
/// without the check does not compile. A proof is move-only, and only prove() creates one.
///
/// A token alone proves a role. Permissions that depend on the requested account (permissions.hpp) are proved
/// by the use cases, which look up the account: see managed_user in users.hpp.
#pragma once

#include "auth/move_only.hpp"
#include "auth/principal.hpp"

#include <gallery/error.hpp>

#include <utility>

namespace gallery::accounts {

/// The error, with ThingsBoard's text.
error permission_denied();

/// Proof that the sender of a request has one of these roles.
template <auth::authority... Allowed>
class role_proof : auth::move_only {
public:
    [[nodiscard]] const auth::principal& who() const noexcept { return *who_; }
    [[nodiscard]] const auth::principal_ptr& shared() const noexcept { return who_; }

    static constexpr bool allows(auth::authority role) noexcept { return ((role == Allowed) || ...); }

private:
    explicit role_proof(auth::principal_ptr who) noexcept : who_(std::move(who)) {}
    template <class Proof>
    friend result<Proof> prove(auth::principal_ptr who);

    auth::principal_ptr who_;
};

using system_administrator = role_proof<auth::authority::sys_admin>;
using tenant_administrator = role_proof<auth::authority::tenant_admin>;
using administrator = role_proof<auth::authority::sys_admin, auth::authority::tenant_admin>;
using tenant_member = role_proof<auth::authority::tenant_admin, auth::authority::customer_user>;
using anybody =
    role_proof<auth::authority::sys_admin, auth::authority::tenant_admin, auth::authority::customer_user>;

/// Proof that @p who has the role. Precondition: not null. Error: permission_denied.
template <class Proof>
result<Proof> prove(auth::principal_ptr who) {
    if (!Proof::allows(who->role)) return permission_denied();
    return Proof(std::move(who));
}

}  // namespace gallery::accounts
