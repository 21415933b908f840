// SPDX-License-Identifier: Apache-2.0
/// Makes pictures of a wanted size, so that a run needs no files. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace gallery::load {

inline constexpr std::size_t smallest_picture = 200;
inline constexpr std::size_t largest_picture = 64U << 20U;

/// A valid PNG of exactly @p bytes bytes: grey noise, which does not become smaller by compression.
/// Precondition: smallest_picture <= bytes <= largest_picture.
std::string make_picture(std::size_t bytes, std::uint64_t seed);

/// Makes a picture of make_picture() different from all with other stamps, at the cost of a few hundred
/// bytes: only a comment in it changes. It remains valid.
void stamp_picture(std::span<char> picture, std::uint64_t run, std::uint64_t number) noexcept;

}  // namespace gallery::load
