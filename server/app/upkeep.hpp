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
    lease* turn;  ///< null while no other server can have the store open
};

/// Erases all images of a tenant; an accounts::tenant_images_eraser.
task<result<void>> erase_images_of(images::image_service& images, tenant_id tenant);

/// Drops expired cache entries, logs changes of the store's state, stores the uses of API keys, completes
/// deletions of tenants that a crash interrupted, and erases images that were stored after such a deletion.
/// Of several servers on a store, one at a time does the work on the store. A failure is logged, and the next
/// run tries again.
///
/// The cost of a run on the store does not grow with the number of tenants ever deleted: a deleted tenant is
/// visited for a day (accounts::directory::note_no_images()).
task<void> run_upkeep(upkeep_subjects on);

}  // namespace gallery::app
