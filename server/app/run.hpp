// SPDX-License-Identifier: Apache-2.0
/// Runs gallery-server, from its command line to its exit code.
#pragma once

#include <span>

namespace gallery::app {

/// @p arguments without the program's name. Blocks until a signal stops the server.
int run(std::span<const char* const> arguments);

}  // namespace gallery::app
