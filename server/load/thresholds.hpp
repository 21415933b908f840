// SPDX-License-Identifier: Apache-2.0
/// What a run must reach. Pure.
#pragma once

#include "load/operation.hpp"

#include <gallery/error.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::load {

struct run_totals;

struct threshold {
    enum class measure : std::uint8_t {
        percentile,  ///< of the latency, in microseconds
        mean,        ///< likewise
        max,         ///< likewise
        errors,      ///< a share of all requests, 0 to 1
        throughput   ///< answered requests a second
    };
    std::string text;               ///< as it was written
    std::optional<operation> what;  ///< only these requests; none: all
    measure of = measure::percentile;
    double percent = 99;    ///< of measure::percentile
    bool is_least = false;  ///< the value must be above the limit, not below it
    double limit = 0;
};

/// "p99 < 50ms", "get p99.9 < 200ms", "mean < 5ms", "errors < 0.1%", "throughput > 5000". Error:
/// invalid_argument.
result<threshold> parse_threshold(std::string_view text);

struct threshold_outcome {
    std::string text;
    std::string found;  ///< "12.3 ms"
    bool holds = true;
};

/// All of @p wanted, and those that always apply: no stale and no wrong answer. Latencies of requests that
/// were not sent do not exist: a threshold without requests does not hold.
std::vector<threshold_outcome> judge(const std::vector<threshold>& wanted, const run_totals& totals);

/// Whether all of them hold.
bool all_hold(const std::vector<threshold_outcome>& outcomes) noexcept;

/// "850 us", "12.3 ms", "2.10 s".
std::string latency_text(double microseconds);

}  // namespace gallery::load
