// SPDX-License-Identifier: Apache-2.0
#include "http/errors.hpp"

#include <gallery/clock.hpp>
#include <gallery/text.hpp>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

namespace gallery::http {

namespace {

// JSON is UTF-8; a message may quote what a client sent.
std::string printable(std::string_view message) {
    std::string out(message);
    if (!is_utf8(out)) {
        for (char& c : out) {
            if (static_cast<unsigned char>(c) >= 0x80) c = '?';
        }
    }
    return out;
}

}  // namespace

error_shape shape_of(errc code) noexcept {
    switch (code) {
        case errc::invalid_argument:
        case errc::already_exists:
        case errc::not_an_image:
            return {400, error_code::bad_request_params};
        case errc::not_found:
            return {404, error_code::item_not_found};
        case errc::too_large:
            return {413, error_code::bad_request_params};
        case errc::unsupported_type:
            return {415, error_code::bad_request_params};
        case errc::precondition_failed:
            return {412, error_code::version_conflict};
        case errc::version_conflict:
            return {409, error_code::version_conflict};
        case errc::unauthenticated:
            return {401, error_code::authentication};
        case errc::token_expired:
            return {401, error_code::jwt_expired};
        case errc::credentials_expired:
            return {401, error_code::credentials_expired};
        case errc::permission_denied:
            return {403, error_code::permission_denied};
        case errc::too_many_requests:
            return {429, error_code::too_many_requests};
        case errc::busy:
        case errc::unavailable:
        case errc::read_only:
        case errc::unknown_outcome:
            return {503, error_code::general};
        case errc::no_space:
            return {507, error_code::general};
        case errc::stale:
        case errc::io_error:
        case errc::corrupt:
        case errc::internal:
            break;
    }
    return {500, error_code::general};
}

std::string_view public_text(const gallery::error& failure) noexcept {
    switch (failure.code) {
        case errc::busy:
            return "The server is busy. Try again later.";
        case errc::unavailable:
            return "The server cannot do this at the moment. Try again later.";
        case errc::read_only:
            return "The server does not accept changes at the moment. Nothing was changed. Reading is "
                   "possible.";
        case errc::unknown_outcome:
            return "It is not known whether the change was made: it may or may not have happened. Check what "
                   "is "
                   "stored before you repeat the request.";
        case errc::no_space:
            return "The server has no space left to store this. Nothing was changed.";
        case errc::stale:
        case errc::io_error:
        case errc::corrupt:
        case errc::internal:
            return "Internal server error. The server's log has the details under the id in X-Request-ID.";
        case errc::invalid_argument:
        case errc::not_found:
        case errc::already_exists:
        case errc::not_an_image:
        case errc::too_large:
        case errc::unsupported_type:
        case errc::precondition_failed:
        case errc::version_conflict:
        case errc::unauthenticated:
        case errc::token_expired:
        case errc::credentials_expired:
        case errc::permission_denied:
        case errc::too_many_requests:
            break;
    }
    return failure.message;
}

response error_response(const gallery::error& failure) {
    return error_response(failure, public_text(failure));
}

response error_response(const gallery::error& failure, std::string_view text) {
    const auto [status, code] = shape_of(failure.code);
    auto out = error_response(status, code, text);
    if (status >= 500) {
        auto note = std::string(to_string(failure.code)) + ": " + failure.message;
        const bool is_common = failure.code == errc::busy || failure.code == errc::unavailable;
        if (is_common) {
            out.set_common_note(std::move(note));
        } else {
            out.set_note(std::move(note));
        }
    }
    if (status == 401) out.add_prepared("WWW-Authenticate: Bearer\r\n");
    // To repeat at once a write that may have happened would do it twice, and one that is refused until an
    // operator acts would be refused again.
    const bool may_repeat = failure.code != errc::unknown_outcome && failure.code != errc::read_only;
    if (status == 429 || (status == 503 && may_repeat))
        out.add("Retry-After", std::to_string(std::max<std::uint32_t>(failure.retry_after, 1)));
    return out;
}

response error_response(unsigned status, error_code code, std::string_view message) {
    boost::json::object shape;
    shape["status"] = status;
    shape["message"] = printable(message);
    shape["errorCode"] = static_cast<int>(code);
    shape["timestamp"] = now_ms();
    auto out = response::json(status, shape);
    out.mark_error();
    return out;
}

void name_error(response& answer, std::string_view id) {
    answer.add("X-Request-ID", id);
    const auto* const shape = answer.content().memory();
    if (shape == nullptr || !shape->view().ends_with('}')) return;
    std::string named(shape->view().substr(0, shape->size() - 1));
    named.append(R"(,"requestId":")").append(id).append(R"("})");
    answer.set_content(gallery::bytes::own(std::move(named)));
}

response wrong_method(const request& message, std::string_view allow) {
    auto out = response::empty(204);
    if (message.verb() != method::options) {
        out = error_response(405, error_code::bad_request_params,
                             "Request method '" + std::string(message.verb_text()) +
                                 "' is not supported here; allowed: " + std::string(allow));
    }
    out.add("Allow", allow);
    return out;
}

}  // namespace gallery::http
