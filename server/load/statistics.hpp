// SPDX-License-Identifier: Apache-2.0
/// The figures of a run.
#pragma once

#include "load/histogram.hpp"
#include "load/operation.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace gallery::load {

/// How a request ended.
enum class verdict : std::uint8_t {
    good,
    stale,    ///< older than a replacement that was acknowledged before the request was sent
    wrong,    ///< bytes that differ from their hash, or were never uploaded
    status,   ///< an HTTP status that is an error
    broken,   ///< the connection was refused or broke, or the answer is not HTTP
    timeout,  ///< no complete answer in time
};
inline constexpr std::array<std::string_view, 6> verdict_names{"good",   "stale",  "wrong",
                                                               "status", "broken", "timeout"};

struct operation_totals {
    histogram latency;  ///< from the intended time, microseconds
    histogram service;  ///< from the sending
    std::array<std::uint64_t, verdict_names.size()> verdicts{};
    std::uint64_t bytes = 0;  ///< received
    std::uint64_t sent_bytes = 0;

    [[nodiscard]] std::uint64_t count() const noexcept;
    [[nodiscard]] std::uint64_t errors() const noexcept;
    [[nodiscard]] std::uint64_t of(verdict what) const noexcept {
        return verdicts[static_cast<std::size_t>(what)];
    }
    void add(const operation_totals& other) noexcept;
};

struct run_totals {
    std::array<operation_totals, operation_count> by_operation{};
    double seconds = 0;  ///< that were measured

    /// Of all operations.
    [[nodiscard]] operation_totals all() const;
};

/// A second of the run.
struct second_row {
    std::uint32_t second = 0;    ///< from the begin of the run
    std::uint64_t intended = 0;  ///< requests whose time has come
    std::uint64_t done = 0;
    std::uint64_t errors = 0;
    std::uint64_t bytes = 0;                           ///< received and sent
    std::uint64_t p50 = 0, p95 = 0, p99 = 0, max = 0;  ///< microseconds
    std::uint64_t waiting =
        0;  ///< requests whose time has come and that no connection was free for, at its end
};

/// Counts what happens. One thread.
class statistics {
public:
    /// Requests whose intended time is before @p warm_up, in nanoseconds from the begin, are in the rows
    /// only.
    explicit statistics(std::int64_t warm_up) : warm_up_(warm_up) {}

    /// Times in nanoseconds from the begin. @p sent is negative where it was never sent.
    void record(operation what, verdict how, std::int64_t intended, std::int64_t sent, std::int64_t done,
                std::uint64_t received, std::uint64_t sent_bytes) noexcept;
    void intend() noexcept { ++row_.intended; }
    /// Ends the present row.
    void end_second(std::uint32_t second, std::uint64_t waiting);

    [[nodiscard]] const std::vector<second_row>& rows() const noexcept { return rows_; }
    [[nodiscard]] const run_totals& totals() const noexcept { return totals_; }
    /// The whole run was @p nanoseconds long.
    void end(std::int64_t nanoseconds) noexcept;

private:
    const std::int64_t warm_up_;
    run_totals totals_;
    std::vector<second_row> rows_;
    second_row row_;
    histogram row_latency_;
};

}  // namespace gallery::load
