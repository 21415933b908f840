// SPDX-License-Identifier: Apache-2.0
/// Failures as values.
///
/// Every operation that can fail in an expected way returns result<T>. An error carries one code, which
/// decides what callers do (and which HTTP status a client sees), and one message for the person who meets
/// it: what was wrong, with what, and what to do. Exceptions are bugs: they never cross the storage
/// contract, and the HTTP boundary turns one into a 500 without detail.
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
    // The caller asked for something that cannot be.
    invalid_argument = 1,  ///< malformed or out of range; the same call will fail again
    not_found,             ///< no such tenant, image, account or route
    already_exists,        ///< a unique name or key is taken
    not_an_image,          ///< bytes that are not a picture we accept, or cannot be decoded
    too_large,             ///< over a configured limit
    unsupported_type,      ///< a request body of another media type than the route takes
    precondition_failed,   ///< If-Match named another version than the current one
    version_conflict,      ///< somebody else changed it in between
    // Who is asking.
    unauthenticated,      ///< no credentials, or wrong ones
    token_expired,        ///< a token past its time
    credentials_expired,  ///< a password that has to be changed
    permission_denied,    ///< known, but not allowed
    too_many_requests,    ///< over a rate limit; try later
    // What is out of the caller's hands.
    stale,            ///< the record passed in is no longer the current one; find it again and repeat
    busy,             ///< out of a bounded resource right now; the same call may succeed later
    unavailable,      ///< the backend cannot be reached or is stopping; whether a write happened is unknown
    unknown_outcome,  ///< a write ended without an answer: it may or may not have happened
    no_space,         ///< the disk or quota is full; nothing was changed
    read_only,        ///< the backend accepts no writes until an operator acts; nothing was changed
    io_error,         ///< the backend failed; whether a write happened is unknown
    corrupt,          ///< stored bytes do not match their hash, or a structure cannot be read
    internal,         ///< a bug on our side
};

/// The code's name as written in logs, for instance "not_found".
GALLERY_API std::string_view to_string(errc code) noexcept;

struct error {
    errc code = errc::internal;
    std::string message;
    /// Seconds after which the same call may succeed, where that is known (too_many_requests, busy); else 0.
    std::uint32_t retry_after = 0;

    friend bool operator==(const error&, const error&) = default;
};

/// Found by Boost.System when value() is called on a result that holds an error, which is a bug.
[[noreturn]] GALLERY_API void throw_exception_from_error(const error& e, const boost::source_location& where);

template <class T = void>
using result = boost::system::result<T, error>;

}  // namespace gallery
