// SPDX-License-Identifier: Apache-2.0
#include "imaging/recent_timeouts.hpp"

namespace gallery::imaging {

void recent_timeouts::forget_before(time_point now) {
    while (until_.oldest() != nullptr && until_.oldest()->value <= now)
        until_.extract(*until_.oldest());
}

void recent_timeouts::add(const sha256_digest& content, time_point now) {
    forget_before(now);
    if (until_.peek(content) == nullptr) until_.put(content, now + remembered, 1);
}

bool recent_timeouts::contains(const sha256_digest& content, time_point now) {
    forget_before(now);
    return until_.peek(content) != nullptr;
}

}  // namespace gallery::imaging
