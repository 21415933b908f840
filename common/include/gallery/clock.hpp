// SPDX-License-Identifier: Apache-2.0
/// Times as they are stored: milliseconds since 1970, UTC. All functions are thread-safe.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <string>

namespace gallery {

inline std::int64_t milliseconds_of(std::chrono::system_clock::time_point at) noexcept {
    return std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count();
}

inline std::int64_t now_ms() noexcept {
    return milliseconds_of(std::chrono::system_clock::now());
}

/// "2027-01-31 12:00:00Z"; the number itself for a time beyond the calendar.
inline std::string utc_text(std::int64_t milliseconds) {
    const auto seconds = static_cast<std::time_t>(milliseconds / 1000);
    std::tm parts{};
    if (::gmtime_r(&seconds, &parts) == nullptr) return std::to_string(milliseconds);
    std::array<char, 64> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%SZ", &parts)};
}

}  // namespace gallery
