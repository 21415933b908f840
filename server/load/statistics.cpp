// SPDX-License-Identifier: Apache-2.0
#include "load/statistics.hpp"

#include <algorithm>
#include <numeric>

namespace gallery::load {

std::uint64_t operation_totals::count() const noexcept {
    return std::accumulate(verdicts.begin(), verdicts.end(), std::uint64_t{0});
}

std::uint64_t operation_totals::errors() const noexcept {
    return count() - of(verdict::good);
}

void operation_totals::add(const operation_totals& other) noexcept {
    latency.add(other.latency);
    service.add(other.service);
    for (std::size_t i = 0; i < verdicts.size(); ++i)
        verdicts[i] += other.verdicts[i];
    bytes += other.bytes;
    sent_bytes += other.sent_bytes;
}

operation_totals run_totals::all() const {
    operation_totals out;
    for (const auto& one : by_operation)
        out.add(one);
    return out;
}

void statistics::record(operation what, verdict how, std::int64_t intended, std::int64_t sent,
                        std::int64_t done, std::uint64_t received, std::uint64_t sent_bytes) noexcept {
    constexpr std::int64_t microsecond = 1000;
    const auto latency = static_cast<std::uint64_t>((done - intended) / microsecond);
    row_latency_.record(latency);
    ++row_.done;
    if (how != verdict::good) ++row_.errors;
    row_.bytes += received + sent_bytes;
    if (intended < warm_up_) {
        // An answer that contradicts the store counts at any time.
        if (how == verdict::stale || how == verdict::wrong)
            ++totals_.by_operation[static_cast<std::size_t>(what)].verdicts[static_cast<std::size_t>(how)];
        return;
    }
    auto& to = totals_.by_operation[static_cast<std::size_t>(what)];
    ++to.verdicts[static_cast<std::size_t>(how)];
    to.latency.record(latency);
    if (sent >= 0) to.service.record(static_cast<std::uint64_t>((done - sent) / microsecond));
    to.bytes += received;
    to.sent_bytes += sent_bytes;
}

void statistics::end_second(std::uint32_t second, std::uint64_t waiting) {
    row_.second = second;
    row_.waiting = waiting;
    row_.p50 = row_latency_.percentile(50);
    row_.p95 = row_latency_.percentile(95);
    row_.p99 = row_latency_.percentile(99);
    row_.max = row_latency_.max();
    rows_.push_back(row_);
    row_ = {};
    row_latency_.clear();
}

void statistics::end(std::int64_t nanoseconds) noexcept {
    totals_.seconds = static_cast<double>(std::max<std::int64_t>(0, nanoseconds - warm_up_)) / 1e9;
}

}  // namespace gallery::load
