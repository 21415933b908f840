// SPDX-License-Identifier: Apache-2.0
/// The endpoints of the mirror, a second store that follows the store of the server.
#pragma once

#include "accounts/permissions.hpp"
#include "api/endpoint.hpp"
#include "mirror/service.hpp"

#include <functional>
#include <span>
#include <string>

namespace gallery::api {

/// The services that the handlers use. They outlive the router.
struct mirror_services {
    verify_credentials verify;
    mirror::service* mirror = nullptr;               ///< null only before the start
    std::function<bool()> has_started;               ///< the server
    std::function<mirror::target_address()> active;  ///< the server's own store, without options
};

/// GET /api/system/mirror, POST .../start, .../verify, .../switch, .../stop, DELETE /api/system/mirror; for
/// system administrators that signed in. API keys are refused.
std::span<const endpoint<mirror_services>> mirror_endpoints() noexcept;

template <>
struct access_of<accounts::signed_in_administrator> {
    using proof = accounts::signed_in_administrator;
    static constexpr access_rule rule{
        false, false, {auth::authority::sys_admin}, {auth::authority::sys_admin}};
    static result<proof> check(auth::principal_ptr who, const http::request&) {
        auto known = accounts::prove<accounts::system_administrator>(std::move(who));
        if (!known) return std::move(known).error();
        return accounts::prove_signed_in_administrator(std::move(*known));
    }
};

}  // namespace gallery::api
