// SPDX-License-Identifier: Apache-2.0
/// The names of request methods and header fields that the server uses. Everything here is a table; no state.
#pragma once

#include <gallery/characters.hpp>

#include <ostream>  // verb.hpp needs it and includes only its declaration

#include <boost/beast/http/verb.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gallery::http {

/// A request's method; `unknown` for names without a value in Beast. string_to_verb() and to_string()
/// convert.
using method = boost::beast::http::verb;

/// Header fields with an index of their own, so that looking one up costs nothing. Beast's enumeration is no
/// substitute: it has no X-Authorization, and ten times as many names.
enum class field : std::uint8_t {
    // A plain read has none of these; request_head::is_plain() looks at all of them at once.
    content_length,
    expect,
    origin,
    transfer_encoding,
    // All others.
    accept,
    accept_encoding,
    authorization,
    connection,
    content_encoding,
    content_type,
    cookie,
    host,
    if_match,
    if_modified_since,
    if_none_match,
    if_range,
    if_unmodified_since,
    proxy_connection,
    range,
    referer,
    te,
    trailer,
    upgrade,
    user_agent,
    x_authorization,
    x_forwarded_for,
    x_forwarded_proto,
    x_request_id,
    other
};
inline constexpr std::size_t known_fields = static_cast<std::size_t>(field::other);

/// Compares without regard to case; field::other for an unknown name.
field parse_field(std::string_view name) noexcept;

/// The characters of RFC 9110's token, at least one.
bool is_token(std::string_view text) noexcept;

}  // namespace gallery::http
