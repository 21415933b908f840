// SPDX-License-Identifier: Apache-2.0
/// Keys of images: their rules, how a new image gets its key, public keys, and the paths of images in URLs.
#pragma once

#include <gallery/error.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace gallery::images {

/// Paths of images: this, then "tenant/", "system/" or "public/" and the key.
inline constexpr std::string_view images_path = "/api/images/";
inline constexpr std::string_view public_images_path = "/api/images/public/";

/// Characters (code points) that a key, a title and a file name may have, as in ThingsBoard.
inline constexpr std::size_t max_name_characters = 255;

/// The first @p count characters (code points) of a text in UTF-8.
std::string_view first_characters(std::string_view text, std::size_t count) noexcept;

/// A title: UTF-8, 1 to @p most characters, no control characters. @p what names it in the error.
result<void> check_text(std::string_view text, std::string_view what, std::size_t most = max_name_characters);

/// A key or file name: in addition, no path separator and neither "." nor "..". A key is data and never used
/// as a path. Names that only an attacker or a mistake sends can be refused without a loss.
result<void> check_name(std::string_view name, std::string_view what);

/// The n-th choice for the key of an uploaded file: the file name itself for 0, then "name_(1).ext", ...
/// (ThingsBoard's naming; a dot at the end is no extension: "dot." is followed by "dot_(1)"). The stem is
/// shortened, by whole characters, where the key would be longer than 255 characters. Precondition:
/// check_name(file_name) holds.
std::string key_candidate(std::string_view file_name, std::size_t n);

/// 32 random alphanumerics, about 190 bits.
std::string new_public_key();

/// Has the form that new_public_key() makes.
bool is_public_key(std::string_view text) noexcept;

}  // namespace gallery::images
