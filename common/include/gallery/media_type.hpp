// SPDX-License-Identifier: Apache-2.0
/// Media types that the gallery treats in a way of their own.
#pragma once

#include <string_view>

namespace gallery {

/// A drawing in text: the server compresses it for clients that accept that.
inline constexpr std::string_view svg_media_type = "image/svg+xml";

}  // namespace gallery
