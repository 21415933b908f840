// SPDX-License-Identifier: Apache-2.0
/// Byte ranges, RFC 9110 section 14. Pure functions.
#pragma once

#include "http/request.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gallery::http {

struct byte_range {
    std::uint64_t first = 0;
    std::uint64_t length = 0;
    friend bool operator==(const byte_range&, const byte_range&) = default;
};

enum class range_kind : std::uint8_t {
    whole,         ///< no range, another unit, malformed, or several ranges: 200
    part,          ///< 206
    unsatisfiable  ///< 416
};

struct range_choice {
    range_kind kind = range_kind::whole;
    byte_range range;
    friend bool operator==(const range_choice&, const range_choice&) = default;
};

/// One Range value against a representation of @p size bytes.
range_choice parse_range(std::string_view value, std::uint64_t size) noexcept;

/// The same for a GET, If-Range considered: it must name @p etag strongly, or equal @p last_modified.
/// Several Range lines count as several ranges.
range_choice choose_range(const request& message, std::uint64_t size, std::string_view etag,
                          std::optional<std::int64_t> last_modified = std::nullopt) noexcept;

/// "bytes 0-99/1234", and "bytes */1234" for 416.
std::string content_range(const byte_range& range, std::uint64_t size);
std::string content_range_unsatisfied(std::uint64_t size);

}  // namespace gallery::http
