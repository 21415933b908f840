// SPDX-License-Identifier: Apache-2.0
/// A representation with an etag, served according to RFC 9110: 200, 206, 304, 412, 416.
#pragma once

#include "http/range.hpp"
#include "http/request.hpp"
#include "http/response.hpp"

#include <gallery/bytes.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace gallery::http {

/// Facts about the very representation that would be sent. Views need to live during the call only.
struct representation {
    std::string_view etag;        ///< opaque, without quotes; strong
    std::string_view media_type;  ///< empty = none, or among the prepared lines
    std::uint64_t size = 0;
    std::string_view cache_control;             ///< empty = none
    std::string_view vary;                      ///< empty = none
    std::string_view content_encoding;          ///< empty = identity
    std::optional<std::int64_t> last_modified;  ///< seconds since 1970
    /// Further lines for 200 and 206, serialised: "Content-Security-Policy: ...\r\nX-...\r\n".
    std::string_view prepared;
    /// The same for 304 as well.
    std::string_view prepared_validators;
};

struct selection {
    unsigned status = 200;  ///< 200, 206, 304, 412 or 416
    byte_range range;       ///< of 200 and 206: what to send
};

/// Decides without the bytes. Conditions first, then (for GET) the range.
selection select_representation(const request& message, const representation& facts);

/// The response with header lines and, where the status has one, the declared size, but without content.
/// @p out is empty before.
void prepare_response(const representation& facts, const selection& choice, response& out);

/// The hot path: true and a 304 in @p out where the client has @p facts.etag already (GET and HEAD).
bool try_not_modified(const request& message, const representation& facts, response& out);

/// The whole response. Precondition: content.size() == facts.size.
response serve_bytes(const request& message, const representation& facts, gallery::body content);

}  // namespace gallery::http
