// SPDX-License-Identifier: Apache-2.0
/// The table that maps failures to responses, and ThingsBoard's error shape.
#pragma once

#include "http/request.hpp"
#include "http/response.hpp"

#include <gallery/error.hpp>

#include <string_view>

namespace gallery::http {

/// ThingsBoard's error codes.
enum class error_code : int {
    general = 2,
    authentication = 10,
    jwt_expired = 11,
    credentials_expired = 15,
    permission_denied = 20,
    invalid_arguments = 30,
    bad_request_params = 31,
    item_not_found = 32,
    too_many_requests = 33,
    version_conflict = 35,
};

struct error_shape {
    unsigned status;
    error_code code;
};

error_shape shape_of(errc code) noexcept;

/// The text of a failure for the client. Messages of failures that the client caused are written for it.
/// Other failures (busy, unavailable, no_space, stale, io_error, corrupt, internal) may come from any layer
/// and contain files, options and parts of the server; for these a client gets only advice.
std::string_view public_text(const gallery::error& failure) noexcept;

/// {"status","message","errorCode","timestamp"} with the public text and Cache-Control: no-store;
/// WWW-Authenticate with 401; Retry-After with 429 and 503: the error's retry_after, at least 1 s. The
/// message of a failure out of the client's hands goes into the response's note, for the log, where it is
/// written under the request's id (name_error()).
response error_response(const gallery::error& failure);

/// The same with another text, where the public one would be wrong, for instance "Nothing was changed".
/// For handlers that have stored a part.
response error_response(const gallery::error& failure, std::string_view text);

/// The same shape for errors of HTTP itself (405, 408, 431, ...).
response error_response(unsigned status, error_code code, std::string_view message);

/// Adds the request's id to an error: in X-Request-ID, and as the last member of the shape, "requestId". The
/// exchange does this for each error_response(). ThingsBoard's shape ends before it. Preconditions: the
/// content of @p answer is a JSON object with a member, @p id is_request_id().
void name_error(response& answer, std::string_view id);

/// 405 with the methods of the resource (RFC 9110, 15.5.6); for OPTIONS a 204 with the same.
/// @p allow: the value of Allow.
response wrong_method(const request& message, std::string_view allow);

}  // namespace gallery::http
