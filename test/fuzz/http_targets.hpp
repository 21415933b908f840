// SPDX-License-Identifier: Apache-2.0
/// Every parser of HTTP that sees a client's bytes, run over one input with its invariants checked. Used by
/// the fuzzers here and by the deterministic mutation test of the unit tests.
#pragma once

#include <string_view>

namespace gallery::http::fuzz {

/// Aborts the process where an invariant does not hold. The input is copied into memory of exactly its size,
/// so that an address sanitizer sees a step too far.
void head(std::string_view input);
void chunked(std::string_view input);
/// Requests one after the other: the strict parser and Beast's agree, and so do all cuts of the bytes.
void request(std::string_view input);
void multipart(std::string_view input);
void conditional(std::string_view input);
void range(std::string_view input);
/// Codings, dispositions, media types, dates, percent-encoding, queries.
void texts(std::string_view input);
/// The input's lines as headers of a trusted proxy: X-Forwarded-*, Forwarded, X-Request-ID, traceparent.
void forwarded(std::string_view input);
/// The input as an id of a request, and as a traceparent.
void request_id(std::string_view input);
void all(std::string_view input);

}  // namespace gallery::http::fuzz
