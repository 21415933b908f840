// SPDX-License-Identifier: Apache-2.0
#include "auth/rate_limit.hpp"

#include <algorithm>

namespace gallery::auth {

std::optional<std::chrono::seconds> rate_limit::take(std::string_view who, clock::time_point now) {
    const lock_guard lock(mutex_);
    auto* const known = users_.peek(who);
    if (known == nullptr) {
        users_.put(std::string(who), now + bounds_.interval, 1);
        return std::nullopt;
    }
    const auto next = std::max(known->value, now) + bounds_.interval;
    const auto too_far = next - (now + bounds_.burst * bounds_.interval);
    if (too_far > clock::duration::zero())
        return std::max(std::chrono::ceil<std::chrono::seconds>(too_far), std::chrono::seconds(1));
    known->value = next;
    users_.use(*known);
    return std::nullopt;
}

void rate_limit::give_back(std::string_view who) {
    const lock_guard lock(mutex_);
    if (auto* const known = users_.peek(who)) known->value -= bounds_.interval;
}

}  // namespace gallery::auth
