// SPDX-License-Identifier: Apache-2.0
/// Times as they are stored: milliseconds since 1970, UTC.
#pragma once

#include <chrono>
#include <cstdint>

namespace gallery {

inline std::int64_t milliseconds_of(std::chrono::system_clock::time_point at) noexcept {
    return std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count();
}

inline std::int64_t now_ms() noexcept {
    return milliseconds_of(std::chrono::system_clock::now());
}

}  // namespace gallery
