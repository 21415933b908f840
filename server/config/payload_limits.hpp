// SPDX-License-Identifier: Apache-2.0
/// The largest request body by path: ThingsBoard's `pattern=bytes;pattern=bytes`. The first matching pattern
/// applies.
#pragma once

#include <gallery/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gallery::config {

/// Ant's path patterns: `**` as a whole segment matches any number of segments (also none), `*` any
/// characters within a segment (also none), `?` one character. Segments are separated by slashes; a slash at
/// the beginning or end belongs to the path.
bool ant_match(std::string_view pattern, std::string_view path) noexcept;

/// Immutable, so safe to read from any thread.
class payload_limits {
public:
    payload_limits() = default;

    /// Error: invalid_argument that names the entry and what is wrong with it.
    static result<payload_limits> parse(std::string_view text);

    /// The limit of a request body for @p path, in bytes; empty if no pattern matches. The pattern of a route
    /// is also a path, with "{key}" as an ordinary segment.
    [[nodiscard]] std::optional<std::uint64_t> limit(std::string_view path) const noexcept;

    [[nodiscard]] const std::vector<std::pair<std::string, std::uint64_t>>& entries() const noexcept {
        return entries_;
    }

private:
    std::vector<std::pair<std::string, std::uint64_t>> entries_;
};

}  // namespace gallery::config
