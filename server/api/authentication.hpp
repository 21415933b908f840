// SPDX-License-Identifier: Apache-2.0
/// Who sends a request, verified once per request.
#pragma once

#include "auth/principal.hpp"
#include "http/request.hpp"

#include <gallery/error.hpp>

#include <functional>
#include <string_view>

namespace gallery::api {

/// Verifies the value of an authentication header. Synchronous. Errors: unauthenticated, token_expired.
using verify_credentials = std::function<result<auth::principal_ptr>(std::string_view header_value)>;

/// The sender by X-Authorization or, without one, by Authorization, as in ThingsBoard. The principal is kept
/// with the request: a handler that runs after a try at once does not verify again. Errors: those of @p
/// verify.
result<auth::principal_ptr> principal_of(http::request& message, const verify_credentials& verify);

}  // namespace gallery::api
