// SPDX-License-Identifier: Apache-2.0
#include "plugins/operation_counters.hpp"

namespace gallery::plugins {

std::string_view to_string(operation what) noexcept {
    static constexpr std::array<std::string_view, operation_count> names{
        "find",  "read", "list",  "scan",      "save",    "update",
        "erase", "kept", "usage", "documents", "changes", "check"};
    return names[static_cast<std::size_t>(what)];
}

void operation_counters::add(source from, std::chrono::nanoseconds duration) noexcept {
    const double seconds = std::chrono::duration<double>(duration).count();
    sample& s = samples_[static_cast<std::size_t>(from)];
    s.bucket = 0;
    while (s.bucket < bounds.size() && seconds > bounds[s.bucket])
        ++s.bucket;
    s.nanoseconds = static_cast<std::uint64_t>(duration.count());
    s.is_known = true;
    add(from);
}

void operation_counters::add_to(figures& sum) const noexcept {
    for (std::size_t i = 0; i < counts_.size(); ++i)
        sum.counts[i] += counts_[i].load(std::memory_order_relaxed);
    sum.sum += static_cast<double>(nanoseconds_.load(std::memory_order_relaxed)) / 1e9;
    sum.errors += errors_.load(std::memory_order_relaxed);
}

}  // namespace gallery::plugins
