// SPDX-License-Identifier: Apache-2.0
#include <gallery/error.hpp>

namespace gallery {

std::string_view to_string(errc code) noexcept {
    switch (code) {
        case errc::invalid_argument:
            return "invalid_argument";
        case errc::not_found:
            return "not_found";
        case errc::already_exists:
            return "already_exists";
        case errc::not_an_image:
            return "not_an_image";
        case errc::too_large:
            return "too_large";
        case errc::unsupported_type:
            return "unsupported_type";
        case errc::precondition_failed:
            return "precondition_failed";
        case errc::version_conflict:
            return "version_conflict";
        case errc::unauthenticated:
            return "unauthenticated";
        case errc::token_expired:
            return "token_expired";
        case errc::credentials_expired:
            return "credentials_expired";
        case errc::permission_denied:
            return "permission_denied";
        case errc::too_many_requests:
            return "too_many_requests";
        case errc::stale:
            return "stale";
        case errc::busy:
            return "busy";
        case errc::unavailable:
            return "unavailable";
        case errc::unknown_outcome:
            return "unknown_outcome";
        case errc::no_space:
            return "no_space";
        case errc::read_only:
            return "read_only";
        case errc::io_error:
            return "io_error";
        case errc::corrupt:
            return "corrupt";
        case errc::internal:
            return "internal";
    }
    return "internal";
}

void throw_exception_from_error(const error& e, const boost::source_location& where) {
    boost::throw_exception(std::logic_error("value() of a result that holds " +
                                            std::string(to_string(e.code)) + ": " + e.message),
                           where);
}

}  // namespace gallery
