// SPDX-License-Identifier: Apache-2.0
/// What a run does: how many users arrive, and what each of them requests.
#pragma once

#include "load/thresholds.hpp"

#include <gallery/error.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::load {

/// The rate of arrivals changes evenly from that of the stage before to that of this one.
struct stage {
    double rate = 0;  ///< visits a second at its end
    std::chrono::nanoseconds duration{};
};

/// Requests that a client sends at the same moment, as a page loads its pictures.
struct burst {
    struct part {
        operation what = operation::get;
        unsigned count = 1;
    };
    std::vector<part> parts;
};

struct visit_plan {
    std::string name;
    double share = 1;                  ///< of all visits, as a weight
    std::chrono::nanoseconds think{};  ///< between two bursts
    bool same_image = false;           ///< all requests are for one image
    std::vector<burst> bursts;

    [[nodiscard]] std::size_t requests() const noexcept;
};

struct picture_size {
    std::size_t bytes = 0;
    double share = 1;  ///< of all pictures, as a weight
};

struct scenario {
    std::string name;
    std::string description;
    std::vector<stage> stages;           ///< at least one
    std::chrono::nanoseconds warm_up{};  ///< from the begin; requests of this time are not counted
    bool is_even = false;  ///< arrivals at equal distances; else as random users arrive (Poisson)
    std::size_t connections = 64;
    std::size_t tenants = 1;
    std::size_t images = 100;  ///< of each tenant
    std::vector<picture_size> sizes;
    double popularity = 1;  ///< exponent of Zipf's law; 0: all images equally often
    std::chrono::nanoseconds timeout = std::chrono::seconds(10);  ///< of a request, from its intended time
    double hashed = 0.01;  ///< the share of pictures whose bytes are hashed
    std::vector<visit_plan> visits;
    std::vector<threshold> thresholds;

    /// The mean of all visits.
    [[nodiscard]] double requests_per_visit() const noexcept;
    [[nodiscard]] std::chrono::nanoseconds duration() const noexcept;
    /// From the first request of a visit to its last, of the visit that takes longest.
    [[nodiscard]] std::chrono::nanoseconds longest_visit() const noexcept;
    /// Scales all stages, so that the highest rate becomes @p visits_a_second.
    void set_rate(double visits_a_second) noexcept;
    [[nodiscard]] double highest_rate() const noexcept;
};

/// A scenario in YAML, as etc/doc/load-testing.md describes it. Error: invalid_argument, "FILE:LINE: ...",
/// for the first mistake.
result<scenario> parse_scenario(std::string_view yaml, const std::string& file);

/// "1h", "2m", "1.5s", "200ms", "50us".
result<std::chrono::nanoseconds> parse_duration(std::string_view text);
/// "14KiB", "2 MiB", "100 KB", "700".
result<std::size_t> parse_size(std::string_view text);

struct builtin_scenario {
    std::string_view name;
    std::string_view yaml;
};
std::span<const builtin_scenario> builtin_scenarios() noexcept;

/// A built-in scenario by its name ("dashboard wall" is "dashboard-wall"), or the file with this path.
/// Errors: those of parse_scenario(); not_found.
result<scenario> find_scenario(const std::string& name_or_path);

}  // namespace gallery::load
