// SPDX-License-Identifier: Apache-2.0
/// How large a request body may be, by path: ThingsBoard's
/// `pattern=bytes;pattern=bytes`, where the first pattern that matches decides.
#pragma once

#include <gallery/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gallery::config {

/// Ant's path patterns: `**` as a whole segment stands for any number of segments (also none), `*` for any
/// characters within a segment (also none), `?` for one character. Segments are what lies between slashes;
/// a slash at the beginning or end is a part of the path as it is written.
bool ant_match(std::string_view pattern, std::string_view path) noexcept;

/// Immutable, so safe to read from any thread.
class payload_limits {
public:
    payload_limits() = default;

    /// Error: invalid_argument that names the entry and what is wrong with it.
    static result<payload_limits> parse(std::string_view text);

    /// Bytes of a request body that @p path may have; nothing where no pattern matches. A route's pattern is
    /// a path, too, in which "{key}" is a segment like others.
    [[nodiscard]] std::optional<std::uint64_t> limit(std::string_view path) const noexcept;

    [[nodiscard]] const std::vector<std::pair<std::string, std::uint64_t>>& entries() const noexcept {
        return entries_;
    }

private:
    std::vector<std::pair<std::string, std::uint64_t>> entries_;
};

}  // namespace gallery::config
