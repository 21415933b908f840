// SPDX-License-Identifier: Apache-2.0
/// Where the server stores how far its scrub is: in a file of the data folder, or where several servers share
/// a store, in a document of that store, so that they continue each other's passes.
#pragma once

#include "app/lease.hpp"
#include "scrub/scrubber.hpp"

#include <gallery/document_store.hpp>

#include <string>

namespace gallery::app {

/// Sets load and save of @p options. They block for the file, so they are for a thread of their own. Errors:
/// those of mirror::read_private_file() and write_private_file().
void keep_scrub_in_file(scrub::scrub_options& options, std::string file);

/// Sets load, save and shared of @p options. Only the holder of @p turn saves. All outlive the use of
/// @p options. Errors: those of the store; busy if the lease was lost.
void keep_scrub_in_store(scrub::scrub_options& options, document_store& store, lease& turn);

}  // namespace gallery::app
