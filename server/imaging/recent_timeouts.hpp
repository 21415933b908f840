// SPDX-License-Identifier: Apache-2.0
/// Contents that took too long a short time ago, and are not tried again for a while.
#pragma once

#include <gallery/bounded_lru.hpp>
#include <gallery/sha256.hpp>

#include <chrono>
#include <cstddef>

namespace gallery::imaging {

/// Not thread-safe; time is passed in. At most max_contents are remembered, the latest ones.
class recent_timeouts {
public:
    using time_point = std::chrono::steady_clock::time_point;

    static constexpr std::size_t max_contents = 4'096;
    static constexpr std::chrono::minutes remembered{10};

    void add(const sha256_digest& content, time_point now);
    [[nodiscard]] bool contains(const sha256_digest& content, time_point now);
    void clear() noexcept { until_.clear(); }

private:
    void forget_before(time_point now);

    bounded_lru<sha256_digest, time_point, digest_hash> until_{max_contents};  ///< the earliest first
};

}  // namespace gallery::imaging
