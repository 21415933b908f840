// SPDX-License-Identifier: Apache-2.0
/// Runs scenarios against a server with seeded data.
#pragma once

#include "admin/session.hpp"
#include "load/report.hpp"
#include "load/seeding.hpp"

#include <cstdint>
#include <functional>
#include <optional>

#include <sys/types.h>

namespace gallery::load {

/// The settings of a command for its runs.
struct run_settings {
    std::uint64_t seed = 1;
    std::optional<pid_t> server;  ///< whose processor time and memory are sampled
    bool is_quiet = false;        ///< no line on the terminal while it runs
};

/// One run. Failures: unreachable, configuration; those of logins.
admin::outcome<run_report> run_once(const scenario& plan, seeded_data& data, const admin::http_client& server,
                                    const run_settings& settings);

/// Raises the rate of @p plan until a threshold does not hold. Each rate is held for @p hold, after a ramp
/// that is not counted: a fifth of it, or as long as a visit. @p start: the first rate, visits a second. @p
/// on_step is told of each step.
admin::outcome<limit_report> find_limit(scenario plan, double start, std::chrono::nanoseconds hold,
                                        seeded_data& data, const admin::http_client& server,
                                        const run_settings& settings,
                                        const std::function<void(const limit_step&)>& on_step);

}  // namespace gallery::load
