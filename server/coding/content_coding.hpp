// SPDX-License-Identifier: Apache-2.0
/// The content codings of HTTP (RFC 9110, section 8.4.1) that the server can send.
#pragma once

#include <gallery/name_table.hpp>

#include <cstdint>

namespace gallery {

enum class content_coding : std::uint8_t { identity = 0, gzip = 1, brotli = 2 };

/// As in Content-Encoding and Accept-Encoding; identity has no name there.
inline constexpr name_table<content_coding, 2> content_codings{{{
    {content_coding::gzip, "gzip"},
    {content_coding::brotli, "br"},
}}};

}  // namespace gallery
