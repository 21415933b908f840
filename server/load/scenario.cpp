// SPDX-License-Identifier: Apache-2.0
#include "load/scenario.hpp"

#include <algorithm>

namespace gallery::load {

std::size_t visit_plan::requests() const noexcept {
    std::size_t out = 0;
    for (const auto& one : bursts)
        for (const auto& part : one.parts)
            out += part.count;
    return out;
}

double scenario::requests_per_visit() const noexcept {
    double shares = 0;
    double requests = 0;
    for (const auto& one : visits) {
        shares += one.share;
        requests += one.share * static_cast<double>(one.requests());
    }
    return requests / shares;
}

std::chrono::nanoseconds scenario::duration() const noexcept {
    std::chrono::nanoseconds out{};
    for (const auto& one : stages)
        out += one.duration;
    return out;
}

std::chrono::nanoseconds scenario::longest_visit() const noexcept {
    std::chrono::nanoseconds out{};
    for (const auto& one : visits)
        out = std::max(out, one.think * static_cast<std::int64_t>(one.bursts.size() - 1));
    return out;
}

double scenario::highest_rate() const noexcept {
    double out = 0;
    for (const auto& one : stages)
        out = std::max(out, one.rate);
    return out;
}

void scenario::set_rate(double visits_a_second) noexcept {
    const double factor = visits_a_second / highest_rate();
    for (auto& one : stages)
        one.rate *= factor;
}

}  // namespace gallery::load
