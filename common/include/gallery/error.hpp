// SPDX-License-Identifier: Apache-2.0
/// Failures as values.
///
/// Every operation that can fail in an expected way returns result<T>. An error contains one code, which
/// determines the reaction of callers and the HTTP status, and one message: what is wrong, with which value,
/// and what to do. Exceptions are bugs: they never cross the storage contract, and the HTTP boundary turns
/// one into a 500 without detail.
#pragma once

#include <gallery/export.hpp>

#include <boost/system/result.hpp>
#include <boost/throw_exception.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace gallery {

enum class errc : std::uint8_t {
    // The request cannot be fulfilled.
    invalid_argument = 1,  ///< malformed or out of range; the same call will fail again
    not_found,             ///< no such tenant, image, account or route
    already_exists,        ///< a unique name or key is taken
    not_an_image,          ///< bytes of an unsupported format, or that cannot be decoded
    too_large,             ///< over a configured limit
    unsupported_type,      ///< a request body of a media type that the route does not accept
    precondition_failed,   ///< If-Match named another version than the current one
    version_conflict,      ///< another request changed it in between
    // The caller's identity or rights are not sufficient.
    unauthenticated,      ///< no credentials, or wrong ones
    token_expired,        ///< an expired token
    credentials_expired,  ///< a password that must be changed
    permission_denied,    ///< authenticated, but not allowed
    too_many_requests,    ///< over a rate limit; try later
    // The server or the store is the cause.
    stale,            ///< the given record is no longer current; find it again and repeat
    busy,             ///< a limited resource is exhausted; the same call may succeed later
    unavailable,      ///< the backend cannot be reached or is stopping; whether a write happened is unknown
    unknown_outcome,  ///< a write ended without an outcome: it may or may not have happened
    no_space,         ///< the disk or quota is full; nothing was changed
    read_only,        ///< the backend accepts no writes until an operator acts; nothing was changed
    io_error,         ///< the backend failed; whether a write happened is unknown
    corrupt,          ///< stored bytes do not match their hash, or a structure cannot be read
    internal,         ///< a bug of the server or the engine
};

/// The code's name as written in logs, for instance "not_found".
GALLERY_API std::string_view to_string(errc code) noexcept;

struct error {
    errc code = errc::internal;
    std::string message;
    /// Seconds after which the same call may succeed, if known (too_many_requests, busy); otherwise 0.
    std::uint32_t retry_after = 0;

    friend bool operator==(const error&, const error&) = default;
};

/// Boost.System calls this if value() is called on a result that contains an error, which is a bug.
[[noreturn]] GALLERY_API void throw_exception_from_error(const error& e, const boost::source_location& where);

template <class T = void>
using result = boost::system::result<T, error>;

}  // namespace gallery
