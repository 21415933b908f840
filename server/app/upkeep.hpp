// SPDX-License-Identifier: Apache-2.0
/// The work that the server does every minute besides answering requests.
#pragma once

#include "accounts/directory.hpp"
#include "app/lease.hpp"
#include "app/node_registry.hpp"
#include "app/write_watch.hpp"
#include "cache/etag_cache.hpp"
#include "images/image_service.hpp"

#include <gallery/task.hpp>

#include <chrono>

namespace gallery::app {

constexpr std::chrono::seconds upkeep_interval{60};

/// Not owned; all of them outlive the task that uses them.
struct upkeep_subjects {
    cache::etag_cache& etags;
    write_watch& writes;
    accounts::directory& accounts;
    images::image_service& images;
    node_registry& nodes;
    lease* turn;  ///< null where no other server can have the store open
};

/// Drops expired cache entries, logs whether the store accepts writes, and completes deletions of tenants
/// that a crash interrupted. Of several servers on a store one does what concerns the store. Logs what fails;
/// the next run tries again.
task<void> run_upkeep(upkeep_subjects on);

}  // namespace gallery::app
