/// The one table from failures to what a client sees, and ThingsBoard's error shape.
#pragma once

#include "http/request.hpp"
#include "http/response.hpp"

#include <gallery/error.hpp>

#include <chrono>
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

/// {"status","message","errorCode","timestamp"} with Cache-Control: no-store; Retry-After where the status
/// asks for it; WWW-Authenticate with 401. For failures on our side (io_error, corrupt, internal, stale) the
/// message stays out of the response and goes into its note, for the log.
response error_response(const gallery::error& failure,
                        std::chrono::seconds retry_after = std::chrono::seconds(1));

/// The same shape for what only HTTP knows (405, 408, 431, ...).
response error_response(unsigned status, error_code code, std::string_view message);

/// 405 that says which methods there are (RFC 9110, 15.5.6); for OPTIONS a 204 that says the same.
/// @p allow: the value of Allow.
response wrong_method(const request& message, std::string_view allow);

}  // namespace gallery::http
