// SPDX-License-Identifier: Apache-2.0
/// Where the server stores how far its scrub is: in a file of the data folder, or where several servers share
/// a store, in a document of that store, so that they continue each other's passes.
#pragma once

#include "app/lease.hpp"
#include "scrub/scrubber.hpp"

#include <gallery/document_store.hpp>

#include <functional>
#include <string>

namespace gallery::app {

/// Both places. All members outlive the use of the options.
struct scrub_places {
    std::string file;                 ///< while no other server can write to the store
    document_store& store;            ///< while others can
    lease& turn;                      ///< in the store; only its holder saves there
    std::function<bool()> is_shared;  ///< now; a switch of the store can change it. Any thread.
    /// Where the store is now. It names a store that has no identity and takes no writes.
    std::function<std::string()> address;
};

/// Sets store_name, load, save and turn of @p options. They block for the file, so they are for a thread of
/// their own. Errors: those of mirror::read_private_file() and write_private_file(), and of the store; busy
/// if the lease was lost.
void keep_scrub(scrub::scrub_options& options, scrub_places places);

}  // namespace gallery::app
