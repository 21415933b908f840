// SPDX-License-Identifier: Apache-2.0
/// Jobs for tests of the pool and of the confinement; compiled into gallery-imaging-test-worker only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gallery::imaging::worker {

/// A "picture" that begins with "GALLERY-TEST:" names what to do: "crash", "hang" (waits), "slow"
/// (waits for a second), "killed" (ends by SIGKILL), "spin" (computes), "memory" (allocates for ever),
/// "garbage" (sends a malformed reply), "probe" (tries what is forbidden; the reply lists what succeeded, or
/// is "confined"). Nothing for other data.
std::optional<std::string> run_test_job(std::string_view data);

}  // namespace gallery::imaging::worker
