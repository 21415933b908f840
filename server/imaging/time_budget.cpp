// SPDX-License-Identifier: Apache-2.0
#include "imaging/time_budget.hpp"

#include <algorithm>

namespace gallery::imaging {

std::chrono::milliseconds time_budget(format kind, std::size_t size,
                                      std::chrono::milliseconds most) noexcept {
    using std::chrono::milliseconds;
    constexpr std::size_t bytes_per_millisecond = (std::size_t{1} << 20) / 1000;
    const milliseconds base(kind == format::svg ? 3'000 : 10'000);
    const milliseconds more(static_cast<milliseconds::rep>(size / bytes_per_millisecond));
    return std::min(most, base + more);
}

}  // namespace gallery::imaging
