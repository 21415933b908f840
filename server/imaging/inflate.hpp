// SPDX-License-Identifier: Apache-2.0
/// Decompresses gzip: drawings that are compressed as a whole (SVGZ). Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gallery::imaging {

bool is_gzip(std::string_view data) noexcept;

enum class inflated : std::uint8_t { wholly, too_large, cut_off, wrong };

/// Appends the content of one gzip file to @p out, which has more than @p most bytes if the content is too
/// large. Ignores what comes behind the file. @p out contains what was decompressed before an error.
inflated inflate_gzip(std::string_view data, std::size_t most, std::string& out);

}  // namespace gallery::imaging
