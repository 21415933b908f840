// SPDX-License-Identifier: Apache-2.0
/// Who sends a request, found out once per request.
#pragma once

#include "auth/principal.hpp"
#include "http/request.hpp"

#include <gallery/error.hpp>

#include <functional>
#include <string_view>

namespace gallery::api {

/// Verifies an authentication header's value; synchronous. Errors: unauthenticated, token_expired.
using verify_credentials = std::function<result<auth::principal_ptr>(std::string_view header_value)>;

/// X-Authorization, else Authorization, as ThingsBoard reads them. The principal is kept with the request,
/// so that the handler of a route whose hot try has asked already does not verify again.
result<auth::principal_ptr> principal_of(http::request& message, const verify_credentials& verify);

}  // namespace gallery::api
