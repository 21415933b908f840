// SPDX-License-Identifier: Apache-2.0
/// The steps of the probe (probe.hpp).
#pragma once

#include <gallery/error.hpp>
#include <gallery/storage.hpp>
#include <gallery/task.hpp>

#include <string>

namespace gallery::plugins {

struct probe_outcome {
    result<void> steps;
    /// Why only reading was probed; empty if writing was probed as well.
    std::string unwritable;
    revision found = 0;  ///< the newest one before the probe wrote anything
};

/// Runs all steps; the first one that fails ends the probe. @p engine outlives the coroutine. @p shared:
/// other servers may probe the store at the same time.
task<probe_outcome> run_probe_steps(storage_engine& engine, bool shared);

/// Removes the remains of probes that were killed. Each probe has a document that names its tenant.
task<result<void>> remove_probe_leftovers(storage_engine& engine, bool shared);

/// The kind of these documents. The id is the tenant's, the body the time of the beginning.
inline constexpr const char* probe_kind = "probe";

/// The error of a step to which the engine answered with @p e.
error step_failed(const std::string& step, const error& e);

}  // namespace gallery::plugins
