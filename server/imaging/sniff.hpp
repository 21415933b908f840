// SPDX-License-Identifier: Apache-2.0
/// Recognises the format of an image by its bytes.
///
/// Pure functions without state, safe on any bytes and from any thread. Time is linear in the input, and
/// nothing is decoded. The type that a client declares (media type, file extension) is not used.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gallery::imaging {

enum class format : std::uint8_t { unknown = 0, png, jpeg, gif, webp, avif, heif, tiff, bmp, ico, svg };

/// The highest value of format, for checking numbers that arrive from a worker process.
inline constexpr std::uint8_t last_format = static_cast<std::uint8_t>(format::svg);

/// "image/png" and so on; an icon is "image/x-icon", as ThingsBoard writes it. Empty for unknown.
std::string_view media_type(format f) noexcept;

/// The display name: "PNG", "Windows icon". Empty for unknown.
std::string_view display_name(format f) noexcept;

struct sniffed {
    format kind = format::unknown;
    /// A phrase for an error text that completes "the file looks like ...", with its article: "a PDF
    /// document", "plain text", "an empty file". For a picture, "a PNG image".
    std::string_view looks_like;
};

/// @p data is the whole file or its beginning. A picture other than SVG is recognised by its first 64
/// bytes; the root element of an SVG may come after comments and a document type of any length, so a
/// beginning that ends before the root element is not recognised as SVG.
sniffed sniff(std::string_view data) noexcept;

/// "The file is not an image: it looks like a PDF document. Accepted are PNG, ...". For the 400 that
/// refuses an upload. Precondition: found.kind is unknown.
std::string not_an_image_text(const sniffed& found);

}  // namespace gallery::imaging
