// SPDX-License-Identifier: Apache-2.0
/// gallery-admin verify: is everything that is stored what was stored?
#pragma once

#include <span>

namespace gallery::admin {

/// Opens the store that the configuration names, without a server, and verifies it: every body is hashed
/// again, every index entry compared. @p arguments are those after "verify": --config FILE, --json, --quiet,
/// --help. Prints a report, problems included. Returns the exit code: 0 all is sound, 1 there are problems,
/// 64 wrong arguments, 69 the store cannot be opened (a running server holds it), 78 wrong configuration.
int verify(std::span<const char* const> arguments);

}  // namespace gallery::admin
