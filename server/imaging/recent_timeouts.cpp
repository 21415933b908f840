// SPDX-License-Identifier: Apache-2.0
#include "imaging/recent_timeouts.hpp"

namespace gallery::imaging {

void recent_timeouts::forget_before(time_point now) {
    while (!by_age_.empty() && (by_age_.front().until <= now || by_age_.size() > max_contents)) {
        contents_.erase(by_age_.front().content);
        by_age_.pop_front();
    }
}

void recent_timeouts::add(const sha256_digest& content, time_point now) {
    if (contents_.insert(content).second) by_age_.push_back({content, now + remembered});
    forget_before(now);
}

bool recent_timeouts::contains(const sha256_digest& content, time_point now) {
    forget_before(now);
    return contents_.contains(content);
}

}  // namespace gallery::imaging
