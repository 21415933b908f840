// SPDX-License-Identifier: Apache-2.0
/// gallery-admin rewrite-bodies: stores the bytes of all images as new ones are stored.
#pragma once

#include <span>

namespace gallery::admin {

/// Opens the store that the configuration names, without a server, and moves bodies (see
/// storage_engine::rewrite_bodies()). @p arguments are those after "rewrite-bodies": --config FILE, --json,
/// --quiet, --help. Prints a report. Returns the exit code: 0 all is stored as wanted, 1 bodies cannot be
/// read, 64 wrong arguments, 69 the store cannot be opened (a running server holds it) or failed, 78 wrong
/// configuration.
int rewrite_bodies(std::span<const char* const> arguments);

}  // namespace gallery::admin
