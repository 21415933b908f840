// SPDX-License-Identifier: Apache-2.0
/// Counts the operations of an engine and samples their durations.
///
/// Of the two operations of every request, find and read, only one in a number is timed, and its duration is
/// used for those up to the next one, because reading the clock takes longer than finding a record in memory.
/// Answers from memory and answers that were waited for are sampled separately. Counters belong to a thread
/// (per_thread.hpp).
#pragma once

#include "plugins/per_thread.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace gallery::plugins {

enum class operation : std::uint8_t {
    find,
    read,
    list,
    scan,
    save,
    update,
    erase,
    kept,
    usage,
    documents,
    changes,
    check
};
inline constexpr std::size_t operation_count = 12;

/// "find", "read", ...
std::string_view to_string(operation what) noexcept;

/// Number and durations of one operation on one thread, in buckets of durations.
class operation_counters {
public:
    /// Upper bounds of the buckets in seconds; what is above the last is in one more.
    static constexpr std::array<double, 14> bounds{0.000'01, 0.000'025, 0.000'05, 0.000'1, 0.000'25,
                                                   0.000'5,  0.001,     0.002'5,  0.005,   0.01,
                                                   0.05,     0.1,       0.5,      2.5};

    /// Calls that are similar enough for one duration to represent others.
    enum class source : std::uint8_t { memory, engine };

    struct figures {
        std::array<std::uint64_t, bounds.size() + 1> counts{};  ///< of each bucket, not cumulated
        double sum = 0;                                         ///< seconds
        std::uint64_t errors = 0;
    };

    /// Whether the next call must be timed: the first one, and one in @p rate.
    [[nodiscard]] bool due(source from, unsigned rate) noexcept {
        sample& s = samples_[static_cast<std::size_t>(from)];
        return s.calls++ % rate == 0 || !s.is_known;
    }
    /// A call that was timed.
    void add(source from, std::chrono::nanoseconds duration) noexcept;
    /// A call that was not timed; it counts as long as the last timed one.
    void add(source from) noexcept {
        const sample& s = samples_[static_cast<std::size_t>(from)];
        add_alone(counts_[s.bucket], 1);
        add_alone(nanoseconds_, s.nanoseconds);
    }
    void add_error() noexcept { add_alone(errors_, 1); }

    void add_to(figures& sum) const noexcept;

private:
    /// Read and written by the owning thread only.
    struct sample {
        unsigned calls = 0;
        bool is_known = false;
        std::size_t bucket = 0;
        std::uint64_t nanoseconds = 0;
    };
    std::array<std::atomic<std::uint64_t>, bounds.size() + 1> counts_{};
    std::atomic<std::uint64_t> nanoseconds_{0};
    std::atomic<std::uint64_t> errors_{0};
    std::array<sample, 2> samples_{};
};

}  // namespace gallery::plugins
