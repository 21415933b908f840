// SPDX-License-Identifier: Apache-2.0
/// Percent-encoding of RFC 3986. Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace gallery::http {

/// Decodes once into @p out, replacing what was in it but keeping its capacity. False for a '%' that two
/// hexadecimal digits do not follow. '+' is left alone.
bool percent_decode(std::string_view text, std::string& out);
/// The same with '+' as a space, as forms and queries have it.
bool form_decode(std::string_view text, std::string& out);

/// Encodes everything but unreserved characters (RFC 3986, 2.3).
std::string percent_encode(std::string_view text);
/// Printable ASCII as it is, '%' included; encodes only what a field value cannot carry: other bytes, and
/// spaces at either end.
std::string header_text(std::string_view text);
/// Encodes everything but attr-char (RFC 8187), for filename*=UTF-8''...
std::string ext_value_encode(std::string_view text);

}  // namespace gallery::http
