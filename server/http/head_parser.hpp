// SPDX-License-Identifier: Apache-2.0
/// From bytes to a request's head, and whether HTTP allows it. Pure functions; no sockets.
#pragma once

#include "http/request.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace gallery::http {

/// Why a request is refused before any handler sees it. Messages are literals.
struct head_error {
    unsigned status = 400;
    std::string_view message;
};

struct head_limits {
    std::size_t head_bytes = 16 * 1024;
    std::size_t target_bytes = 8 * 1024;
};

enum class head_status : std::uint8_t { incomplete, complete, refused };

struct head_outcome {
    head_status status = head_status::incomplete;
    std::size_t size = 0;  ///< complete: bytes up to and including the empty line
    head_error error;      ///< refused
};

/// Reads one head from the front of @p data; @p head then views @p data. Strict: CRLF only, no folding, no
/// control characters, no white space before a colon. Empty lines in front of the request line are skipped
/// (RFC 9112, 2.2). Up to two kilobytes a microsecond (SSE2 where there is).
head_outcome parse_head(std::string_view data, const head_limits& limits, request_head& head) noexcept;

/// Sets path and query of @p head from its target and method. False where the target is neither a path nor an
/// http URL (RFC 9112, 3.2).
bool split_target(request_head& head) noexcept;

/// How the body is delimited and what becomes of the connection.
struct framing {
    enum class kind : std::uint8_t { none, length, chunked };
    kind body = kind::none;
    std::uint64_t length = 0;
    bool keep_alive = true;
    bool expects_continue = false;
};

struct validation {
    std::optional<head_error> error;
    http::framing framing;
};

/// What RFC 9110 and 9112 make a server refuse in a head that parses: Host missing, repeated or malformed;
/// Transfer-Encoding beside Content-Length, in HTTP/1.0, or not ending in chunked; Content-Length repeated or
/// no number; CONNECT; "GET *"; an expectation other than 100-continue.
validation validate_head(const request_head& head) noexcept;

}  // namespace gallery::http
