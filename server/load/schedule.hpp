// SPDX-License-Identifier: Apache-2.0
/// When each request of a run is to be sent. Pure: it reads no clock.
///
/// The times are fixed before anything is sent and do not depend on answers. A server that stalls therefore
/// does not slow the arrivals down: the requests of that time wait, and their latency, which counts from the
/// intended time, contains the wait. A generator that waits for each answer before it sends the next request
/// leaves them out; this fault is known as coordinated omission.
#pragma once

#include "load/chooser.hpp"
#include "load/random.hpp"
#include "load/scenario.hpp"

#include <cstdint>
#include <optional>
#include <queue>
#include <vector>

namespace gallery::load {

/// Nanoseconds from the begin of the run.
using run_time = std::int64_t;

/// The arrivals of visits in stages whose rates change evenly.
class arrivals {
public:
    arrivals(std::vector<stage> stages, bool is_even);

    /// The time of the next arrival; none after the last stage.
    std::optional<run_time> next(random_numbers& random) noexcept;

    /// How many visits arrive until @p seconds, on average.
    [[nodiscard]] double expected_until(double seconds) const noexcept;

private:
    struct piece {
        double begin, end;  ///< seconds
        double first_rate, last_rate;
        double before;  ///< visits before it
    };
    [[nodiscard]] std::optional<double> time_of(double visits) const noexcept;

    std::vector<piece> pieces_;
    bool is_even_;
    double visits_ = 0;
};

/// A request whose time is fixed.
struct planned_request {
    run_time intended = 0;
    operation what = operation::get;
    std::uint32_t tenant = 0;
    std::uint32_t image = 0;  ///< of the tenant
};

/// The requests of all visits in the order of their times.
class schedule {
public:
    /// Precondition: @p plan outlives it.
    schedule(const scenario& plan, std::uint64_t seed);

    /// The time of the next burst; none where there are no more.
    [[nodiscard]] std::optional<run_time> next_time() const noexcept;
    /// Calls take(planned_request) for each request whose time is not after @p now.
    template <class Take>
    void take_due(run_time now, Take&& take) {
        for (auto time = next_time(); time && *time <= now; time = next_time()) {
            burst_.clear();
            advance();
            for (const auto& one : burst_)
                take(one);
        }
    }

private:
    /// A visit that has more bursts.
    struct visit {
        run_time next = 0;
        std::uint32_t plan = 0;
        std::uint32_t burst = 0;
        std::uint32_t tenant = 0;
        std::uint32_t image = 0;
        friend bool operator>(const visit& a, const visit& b) noexcept { return a.next > b.next; }
    };

    void advance();
    [[nodiscard]] std::uint32_t choose_image() noexcept;

    const scenario& plan_;
    random_numbers random_;
    arrivals arrivals_;
    chooser which_visit_;
    chooser which_image_;
    std::optional<run_time> next_arrival_;
    std::priority_queue<visit, std::vector<visit>, std::greater<>> open_;
    std::vector<planned_request> burst_;
};

}  // namespace gallery::load
