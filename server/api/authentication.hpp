// SPDX-License-Identifier: Apache-2.0
/// The principal of a request, verified once per request.
#pragma once

#include "auth/principal.hpp"
#include "http/request.hpp"

#include <gallery/error.hpp>

#include <functional>
#include <string_view>

namespace gallery::api {

/// Verifies the value of an authentication header. Called by any I/O thread; must not block. Errors:
/// unauthenticated, token_expired, and unavailable while the accounts in memory are too old.
using verify_credentials = std::function<result<auth::principal_ptr>(std::string_view header_value)>;

/// The principal of X-Authorization or, if absent, of Authorization, as in ThingsBoard. It is stored in the
/// request, so a handler that runs after a hot_handler does not verify again, and does not count the request
/// a second time against the limits of the tenant and the customer. Errors: those of @p verify;
/// too_many_requests.
result<auth::principal_ptr> principal_of(http::request& message, const verify_credentials& verify);

/// The principal that was stored in the request; null if there is none, because principal_of() was not
/// called or the credentials were refused. Valid as long as the request.
const auth::principal* known_principal(const http::request& message) noexcept;

}  // namespace gallery::api
