// SPDX-License-Identifier: Apache-2.0
/// The media types that the gallery recognises, with their file extensions. A new one is added to this table
/// and nowhere else.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace gallery {

/// An image in text: the server compresses it for clients that accept that.
inline constexpr std::string_view svg_media_type = "image/svg+xml";

struct media_type_row {
    std::string_view type;       ///< lower case, without parameters
    std::string_view extension;  ///< lower case, without the dot
};

/// Of several rows with one type, the first has the extension that is written. Of several rows with one
/// extension, the first has the type that is assumed.
inline constexpr auto media_types = std::to_array<media_type_row>({
    {"image/png", "png"},
    {"image/jpeg", "jpg"},
    {"image/jpeg", "jpeg"},
    {"image/gif", "gif"},
    {"image/webp", "webp"},
    {"image/avif", "avif"},
    {"image/heif", "heif"},
    {"image/heic", "heic"},
    {"image/tiff", "tiff"},
    {"image/tiff", "tif"},
    {"image/bmp", "bmp"},
    {"image/x-ms-bmp", "bmp"},
    {"image/x-icon", "ico"},  // as ThingsBoard writes it
    {"image/vnd.microsoft.icon", "ico"},
    {svg_media_type, "svg"},
    {"image/apng", "apng"},
    {"image/jxl", "jxl"},
    {"image/jp2", "jp2"},
    {"text/html", "html"},
    {"text/css", "css"},
    {"text/javascript", "js"},
    {"text/javascript", "mjs"},
    {"text/plain", "txt"},
    {"text/markdown", "md"},
    {"application/json", "json"},
    {"application/json", "map"},
    {"application/manifest+json", "webmanifest"},
    {"application/xml", "xml"},
    {"application/wasm", "wasm"},
    {"application/pdf", "pdf"},
    {"font/woff2", "woff2"},
    {"font/woff", "woff"},
    {"font/ttf", "ttf"},
});

/// The type of files with an extension, which is compared exactly; empty if it is not in the table.
constexpr std::string_view media_type_of(std::string_view extension) noexcept {
    const auto* const row = std::ranges::find(media_types, extension, &media_type_row::extension);
    return row == media_types.end() ? std::string_view() : row->type;
}

/// The extension for files of a type, which is compared exactly; empty if it is not in the table.
constexpr std::string_view extension_of(std::string_view type) noexcept {
    const auto* const row = std::ranges::find(media_types, type, &media_type_row::type);
    return row == media_types.end() ? std::string_view() : row->extension;
}

}  // namespace gallery
