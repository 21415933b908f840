// SPDX-License-Identifier: Apache-2.0
/// Conditional requests, RFC 9110 section 13. Pure functions.
#pragma once

#include "http/request.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace gallery::http {

/// One entity tag of a list: W/"opaque" or "opaque".
struct entity_tag {
    std::string_view opaque;  ///< without quotes
    bool weak = false;
};

/// Reads the next tag from a list and moves @p rest behind it; empty at the end or where the rest is
/// malformed (@p malformed is true then). Commas may be inside a tag; empty list elements are skipped.
std::optional<entity_tag> next_entity_tag(std::string_view& rest, bool& malformed) noexcept;

/// Whether one field line is "*", or lists @p etag (opaque, without quotes), compared weakly or strongly. A
/// bare 64-digit or other unquoted token is accepted in a list as if quoted, because clients send it.
/// Malformed rests match nothing.
bool lists_etag(std::string_view line, std::string_view etag, bool strong) noexcept;

enum class verdict : std::uint8_t { proceed, not_modified, precondition_failed };

/// Evaluates a request's conditions for the current representation, in the order of RFC 9110, 13.2.2. @p
/// etag: opaque part of its strong ETag, empty if there is no representation. @p last_modified: seconds since
/// 1970, if known. Empty fields count as absent. Range is not evaluated (see range.hpp). If-None-Match gives
/// not_modified for GET and HEAD and precondition_failed for other methods.
verdict evaluate_conditions(const request& message, std::string_view etag,
                            std::optional<std::int64_t> last_modified = std::nullopt);

/// If-Match alone, for writes: true where the field is absent, empty, "*" (and @p etag is not empty) or lists
/// the etag strongly.
bool if_match_holds(const request& message, std::string_view etag);

/// True if If-None-Match (any line, weakly) contains this one. Used by the hot path.
bool if_none_match_hits(const request& message, std::string_view etag);

}  // namespace gallery::http
