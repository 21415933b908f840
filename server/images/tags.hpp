// SPDX-License-Identifier: Apache-2.0
/// Tags of images: their rules.
#pragma once

#include <gallery/error.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace gallery::images {

inline constexpr std::size_t max_tags = 16;
inline constexpr std::size_t max_tag_characters = 64;

/// The tags as a record contains them: sorted bytewise, without duplicates. A tag is UTF-8 with 1 to 64
/// characters, without control characters; an image has at most 16. Error: invalid_argument.
result<std::vector<std::string>> checked_tags(std::vector<std::string> given);

}  // namespace gallery::images
